//! An image in the making: its tables, what its scans have given so far, and which of them are needed.

use super::super::Plane;
use super::huffman::Class;
use super::idct::order;
use super::layout::{BlockSize, Layout};
use super::progressive::{Band, Kind, Member, StoredScan};
use super::rgb::Spread;
use super::scan::{Input, Scan, ScanStatus};
use super::segments::{ScanHeader, Tables, malformed};
use super::sequential::{Coding, DcStream, Stream, StreamBlock};
use super::store::Store;
use super::strips::{Dequant, Strips};
use super::{JPEG, JpegHeader, PipelineError, RowSink};
use crate::{LimitError, work};

/// Scans in one file, those that are not decoded included. Encoders make at most a dozen.
const MAX_SCANS: u32 = 100;
/// The most blocks in an MCU (T.81 B.2.3).
const MAX_MCU_BLOCKS: usize = 10;
/// An image of which less than one part in this many was decoded is an error, not a gray area.
const MIN_DECODED_SHARE: u64 = 1000;
/// [`Picture::known`] of a coefficient that no scan had.
const UNKNOWN: u8 = u8::MAX;

/// What becomes of coefficients.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Process {
    /// They become samples at once: the first scan has every component.
    Streamed,
    /// They are stored: each component has a scan of its own.
    Stored,
    /// They are stored: a scan has some of their bits.
    Progressive,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Picture {
    layout: Layout,
    planes: Vec<Plane>,
    ids: Vec<u8>,
    orders: Vec<[u8; 64]>,
    process: Process,
    pub(super) tables: Tables,
    dequants: [Option<Dequant>; 4],
    strips: Strips,
    store: Store,
    scan: Option<(ScanHeader, Scan)>,
    scans: u32,
    /// Blocks of the scans that were decoded into the store.
    stored_blocks: u64,
    /// For each component and coefficient, how many low bits are still missing.
    known: [[u8; 64]; 4],
    /// Whether something is missing that should be there.
    pub(super) damaged: bool,
    /// Whether a part of the image worth showing was decoded.
    pub(super) worthwhile: bool,
}

impl Picture {
    pub(super) fn new(
        header: &JpegHeader,
        block_sizes: &[BlockSize],
        rgb: Option<Vec<Plane>>,
    ) -> Result<Self, PipelineError> {
        let layout = Layout::new(header, block_sizes);
        let join = match rgb {
            Some(_) => layout.join(header.transform),
            None => None,
        };
        Ok(Self {
            ids: header.components.iter().map(|c| c.id).collect(),
            orders: block_sizes.iter().map(|&size| order(size)).collect(),
            process: match (header.progressive, header.interleaved) {
                (true, _) => Process::Progressive,
                (false, true) => Process::Streamed,
                (false, false) => Process::Stored,
            },
            tables: Tables::default(),
            dequants: [const { None }; 4],
            planes: rgb.unwrap_or_else(|| layout.planes.clone()),
            strips: Strips::new(&layout, join)?,
            store: Store::new(&layout),
            scan: None,
            scans: 0,
            stored_blocks: 0,
            known: [[UNKNOWN; 64]; 4],
            damaged: false,
            worthwhile: false,
            layout,
        })
    }

    pub(super) fn planes(&self) -> &[Plane] {
        &self.planes
    }

    /// What its scans have cost.
    pub(super) fn work(&self) -> u64 {
        work::of_scan(self.stored_blocks)
    }

    fn is_progressive(&self) -> bool {
        self.process == Process::Progressive
    }

    fn is_stored(&self) -> bool {
        self.process != Process::Streamed
    }

    /// Takes the payload of a SOS segment, and says whether the scan must be decoded.
    pub(super) fn begin_scan(&mut self, payload: &[u8]) -> Result<bool, PipelineError> {
        self.scans += 1;
        if self.scans > MAX_SCANS {
            return Err(LimitError::Count {
                what: "scans",
                max: u64::from(MAX_SCANS),
            }
            .into());
        }
        let mut header = ScanHeader::parse(payload, &self.ids)?;
        if !self.is_progressive() {
            header.take_all_coefficients();
        } else if !header.is_legal_progressive() {
            return Err(malformed("a progressive scan has an illegal band"));
        }
        if self.process == Process::Streamed && header.components.len() != self.ids.len() {
            return Err(malformed("a scan has less components than the header said"));
        }
        // Also for scans that are not needed: a DQT segment after them must not count.
        self.latch_quant(&header)?;
        if !self.is_needed(&header) {
            return Ok(false);
        }
        if self.is_stored() {
            let components = header.components.iter();
            let blocks = components.map(|&(c, ..)| self.layout.components[c].blocks());
            let blocks: u64 = blocks.sum();
            self.stored_blocks = self.stored_blocks.saturating_add(blocks);
        }
        let scan = self.new_scan(&header)?;
        self.prepare_tables(&header)?;
        self.scan = Some((header, scan));
        Ok(true)
    }

    /// Whether a scan has anything that the scale needs.
    fn is_needed(&self, header: &ScanHeader) -> bool {
        header.components.iter().any(|&(c, ..)| {
            if !self.is_progressive() {
                // A sequential scan has all of a component, so a second one adds nothing.
                return self.known[c][0] == UNKNOWN;
            }
            let size = self.layout.components[c].size;
            // DC, the first bits of a kept coefficient, or refinements where they matter: those must be parsed for
            // every coefficient, so then all first scans must be too.
            header.spectral_start == 0
                || self.refines(c)
                || header.high == 0 && header.spectral_start <= size.last_coefficient()
        })
    }

    fn new_scan(&self, header: &ScanHeader) -> Result<Scan, PipelineError> {
        let interval = self.tables.restart_interval;
        // T.81 A.2.2: not interleaved, so there are no MCUs to fill up.
        if let [(c, ..)] = header.components[..] {
            let c = &self.layout.components[c];
            return Ok(Scan::new(c.blocks_w, c.blocks_h, 1, interval));
        }
        let components = header
            .components
            .iter()
            .map(|&(c, ..)| &self.layout.components[c]);
        let blocks = components.map(|c| c.h * c.v).sum();
        if blocks > MAX_MCU_BLOCKS {
            return Err(malformed(format!("an MCU has {blocks} blocks")));
        }
        Ok(Scan::new(
            self.layout.mcu_cols,
            self.layout.mcu_rows,
            blocks,
            interval,
        ))
    }

    fn prepare_tables(&mut self, header: &ScanHeader) -> Result<(), PipelineError> {
        for &(_, dc, ac) in &header.components {
            // Refinements of DC are plain bits (T.81 G.1.2.1).
            if header.spectral_start == 0 && header.high == 0 {
                self.tables.prepare(Class::Dc, dc)?;
            }
            if header.spectral_start > 0 || !self.is_progressive() {
                self.tables.prepare(Class::Ac, ac)?;
            }
        }
        Ok(())
    }

    /// Takes the quantisation tables that are in force at the first scan of a component.
    fn latch_quant(&mut self, header: &ScanHeader) -> Result<(), PipelineError> {
        for &(c, ..) in &header.components {
            let component = &self.layout.components[c];
            // As in libjpeg (`latch_quant_tables` in jdinput.c): tables may change between scans.
            if self.dequants[c].is_none() {
                let quant = self.tables.quant[component.tq].as_ref();
                let quant = quant.ok_or_else(|| malformed("a quantisation table is missing"))?;
                let dequant = Dequant::new(quant, component.size);
                self.store.components[c].has_bitmap = self.is_progressive() && dequant.refines;
                self.dequants[c] = Some(dequant);
            }
        }
        Ok(())
    }

    fn refines(&self, c: usize) -> bool {
        self.dequants[c].as_ref().is_some_and(|d| d.refines)
    }

    /// Decodes what the input has of the scan that was begun.
    pub(super) fn run_scan(
        &mut self,
        input: Input<'_>,
        pos: &mut usize,
        sink: &mut dyn RowSink,
    ) -> Result<ScanStatus, PipelineError> {
        // Taken out, because decoding borrows the rest of the image.
        let Some((header, mut scan)) = self.scan.take() else {
            return Err(PipelineError::Bug(
                "a JPEG scan is run before it begins".into(),
            ));
        };
        let status = if self.is_stored() {
            self.run_stored(&header, &mut scan, input, pos)
        } else {
            self.run_stream(&header, &mut scan, input, pos, sink)
        };
        self.scan = Some((header, scan));
        status
    }

    fn coding(&self, &(c, dc, ac): &(usize, usize, usize)) -> Option<Coding<'_>> {
        let ac = self.tables.ac[ac].as_deref()?;
        Some(Coding {
            dc: self.tables.dc[dc].as_deref()?,
            ac,
            skips: ac.skips.as_deref()?,
            size: self.layout.components[c].size,
            order: &self.orders[c],
        })
    }

    fn run_stream(
        &mut self,
        header: &ScanHeader,
        scan: &mut Scan,
        input: Input<'_>,
        pos: &mut usize,
        sink: &mut dyn RowSink,
    ) -> Result<ScanStatus, PipelineError> {
        let missing = || PipelineError::Bug("a JPEG scan has no tables".into());
        let mut strips = std::mem::take(&mut self.strips);
        // Ten at most, so it costs little to build them anew for each chunk.
        let mut blocks = Vec::with_capacity(MAX_MCU_BLOCKS);
        for (member, part) in header.components.iter().enumerate() {
            let c = part.0;
            let (component, strip) = (&self.layout.components[c], strips.parts[c]);
            let n = component.size.samples();
            let dequant = self.dequants[c].as_ref().ok_or_else(missing)?;
            // Only the spread of luma decides what is clipped.
            let spread = match (c, &strips.joined) {
                (0, Some(_)) => dequant.spread,
                _ => Spread::NONE,
            };
            for j in 0..component.v {
                for i in 0..component.h {
                    blocks.push(StreamBlock {
                        member,
                        coding: self.coding(part).ok_or_else(missing)?,
                        dequant,
                        start: strip.start + j * n * strip.stride + i * n,
                        step: component.h * n,
                        stride: strip.stride,
                        spread,
                    });
                }
            }
        }
        let mut stream = Stream {
            blocks: &blocks,
            strips: &mut strips,
            sink,
            scratch: [0; 128],
        };
        let all_dc = self
            .layout
            .components
            .iter()
            .all(|c| c.size == BlockSize::One);
        let status = if all_dc {
            scan.run(input, pos, &mut DcStream(stream))
        } else {
            scan.run(input, pos, &mut stream)
        };
        self.strips = strips;
        status
    }

    fn run_stored(
        &mut self,
        header: &ScanHeader,
        scan: &mut Scan,
        input: Input<'_>,
        pos: &mut usize,
    ) -> Result<ScanStatus, PipelineError> {
        let mut store = std::mem::take(&mut self.store);
        let mut members = Vec::with_capacity(4);
        for part in &header.components {
            let kind = self.kind(header, part);
            members.push(Member {
                index: part.0,
                component: &self.layout.components[part.0],
                kind: kind.ok_or_else(|| PipelineError::Bug("a JPEG scan has no tables".into()))?,
            });
        }
        let mut stored = StoredScan::new(&self.layout, &members, &mut store);
        let status = scan.run(input, pos, &mut stored);
        self.store = store;
        status
    }

    fn kind(&self, header: &ScanHeader, part: &(usize, usize, usize)) -> Option<Kind<'_>> {
        let &(c, dc, ac) = part;
        let low = u32::from(header.low);
        if !self.is_progressive() {
            return self.coding(part).map(Kind::Sequential);
        }
        if header.spectral_start == 0 {
            return match header.high {
                0 => Some(Kind::DcFirst(self.tables.dc[dc].as_deref()?, low)),
                _ => Some(Kind::DcRefine(low)),
            };
        }
        let band = Band {
            start: u32::from(header.spectral_start),
            end: u32::from(header.spectral_end),
            low,
            table: self.tables.ac[ac].as_deref()?,
            order: &self.orders[c],
        };
        Some(if header.high == 0 {
            Kind::AcFirst(band)
        } else {
            Kind::AcRefine(band)
        })
    }

    /// Ends the scan, and says whether the image is as good as it gets.
    pub(super) fn end_scan(&mut self) -> bool {
        let Some((header, scan)) = self.scan.take() else {
            return false;
        };
        self.damaged |= scan.damaged;
        let band = if self.is_progressive() {
            usize::from(header.spectral_start)..=usize::from(header.spectral_end)
        } else {
            0..=63
        };
        // AC alone gives nothing to look at.
        if header.spectral_start == 0 {
            self.worthwhile |= scan.decoded * MIN_DECODED_SHARE >= scan.mcus();
        }
        for &(c, ..) in &header.components {
            if let Some(known) = self.known[c].get_mut(band.clone()) {
                known.fill(header.low);
            }
        }
        // A stream has no second scan that could add anything.
        self.process == Process::Streamed || self.knows_enough()
    }

    pub(super) fn has_every_dc(&self) -> bool {
        self.known
            .iter()
            .take(self.ids.len())
            .all(|known| known[0] != UNKNOWN)
    }

    /// Whether no further scan could change a sample.
    fn knows_enough(&self) -> bool {
        (0..self.ids.len()).all(|c| {
            let last = self.layout.components[c].size.last_coefficient();
            let known = &self.known[c];
            let wanted = &known[..=usize::from(last)];
            known[0] == 0
                && wanted.iter().all(|&k| {
                    if self.refines(c) {
                        k == 0
                    } else {
                        k != UNKNOWN
                    }
                })
        })
    }

    /// Gives the sink the rows that it has not had, unless there is next to nothing to see.
    pub(super) fn emit_rest(&mut self, sink: &mut dyn RowSink) -> Result<(), PipelineError> {
        if !self.worthwhile {
            return Err(PipelineError::truncated(
                JPEG,
                "there is no data for an image in it",
            ));
        }
        if self.is_stored() {
            self.store
                .emit(&self.layout, &self.dequants, &mut self.strips, sink);
        }
        self.strips.emit_rest(sink);
        Ok(())
    }
}
