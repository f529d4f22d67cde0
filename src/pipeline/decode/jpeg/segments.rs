//! Marker segments (T.81 annex B): what their bytes mean.

use super::huffman::{Class, HuffmanTable, default_table};
use super::{JPEG, PipelineError};

pub(super) const SOF0: u8 = 0xC0;
pub(super) const SOF1: u8 = 0xC1;
pub(super) const SOF2: u8 = 0xC2;
pub(super) const DHT: u8 = 0xC4;
pub(super) const RST0: u8 = 0xD0;
pub(super) const RST7: u8 = 0xD7;
pub(super) const SOI: u8 = 0xD8;
pub(super) const EOI: u8 = 0xD9;
pub(super) const SOS: u8 = 0xDA;
pub(super) const DQT: u8 = 0xDB;
pub(super) const DRI: u8 = 0xDD;
pub(super) const APP0: u8 = 0xE0;
pub(super) const APP1: u8 = 0xE1;
pub(super) const APP2: u8 = 0xE2;
pub(super) const APP14: u8 = 0xEE;

/// Whether a marker stands alone, without a length and a payload: TEM, `RSTn`, SOI, EOI and the reserved ones.
pub(super) fn is_standalone(marker: u8) -> bool {
    marker < SOF0 || (RST0..=EOI).contains(&marker)
}

/// Whether a marker begins a frame: SOF0 to SOF15 without DHT, JPG and DAC.
pub(super) fn is_frame(marker: u8) -> bool {
    (0xC0..=0xCF).contains(&marker) && !matches!(marker, DHT | 0xC8 | 0xCC)
}

/// For each index in zigzag order, the index in rows (T.81 figure A.6).
pub(crate) const ZIGZAG: [u8; 64] = [
    0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20,
    13, 6, 7, 14, 21, 28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59,
    52, 45, 38, 31, 39, 46, 53, 60, 61, 54, 47, 55, 62, 63,
];

/// A quantisation table in rows (not in zigzag order).
pub(super) type Quant = [u16; 64];

/// What DQT, DHT and DRI segments have defined so far.
#[derive(Debug, Default)]
pub(super) struct Tables {
    pub(super) quant: [Option<Box<Quant>>; 4],
    pub(super) dc: [Option<Box<HuffmanTable>>; 4],
    pub(super) ac: [Option<Box<HuffmanTable>>; 4],
    /// MCUs between two restart markers, or 0.
    pub(super) restart_interval: u32,
}

impl Tables {
    /// Takes the payload of a DQT segment.
    pub(super) fn define_quant(&mut self, mut payload: &[u8]) -> Result<(), PipelineError> {
        // One segment may define several tables (T.81 B.2.4.1).
        while let Some((&head, rest)) = payload.split_first() {
            let wide = head >> 4 != 0;
            let size = if wide { 128 } else { 64 };
            let values = rest
                .get(..size)
                .ok_or_else(|| malformed("a DQT segment is too short"))?;
            let slot = self.quant.get_mut(usize::from(head & 15));
            let slot =
                slot.ok_or_else(|| malformed("a quantisation table has a number above 3"))?;
            let mut table = Box::new([0; 64]);
            for (i, &natural) in ZIGZAG.iter().enumerate() {
                table[usize::from(natural)] = if wide {
                    u16::from_be_bytes([values[2 * i], values[2 * i + 1]])
                } else {
                    u16::from(values[i])
                };
            }
            *slot = Some(table);
            payload = &rest[size..];
        }
        Ok(())
    }

    /// Takes the payload of a DHT segment.
    pub(super) fn define_huffman(&mut self, mut payload: &[u8]) -> Result<(), PipelineError> {
        // One segment may define several tables (T.81 B.2.4.2).
        while let Some((&head, rest)) = payload.split_first() {
            let (counts, rest) = rest
                .split_first_chunk()
                .ok_or_else(|| malformed("a DHT segment is too short"))?;
            let total = counts.iter().map(|&n| usize::from(n)).sum();
            let symbols = rest
                .get(..total)
                .ok_or_else(|| malformed("a DHT segment is too short"))?;
            let slots = match head >> 4 {
                0 => &mut self.dc,
                1 => &mut self.ac,
                _ => return Err(malformed("a Huffman table is neither DC nor AC")),
            };
            let slot = slots.get_mut(usize::from(head & 15));
            let slot = slot.ok_or_else(|| malformed("a Huffman table has a number above 3"))?;
            let table = HuffmanTable::new(counts, symbols)
                .map_err(|_| malformed("a Huffman table has more codes than fit"))?;
            *slot = Some(Box::new(table));
            payload = &rest[total..];
        }
        Ok(())
    }

    /// Takes the payload of a DRI segment.
    pub(super) fn define_restart(&mut self, payload: &[u8]) -> Result<(), PipelineError> {
        let bytes = payload
            .first_chunk()
            .ok_or_else(|| malformed("a DRI segment is too short"))?;
        self.restart_interval = u32::from(u16::from_be_bytes(*bytes));
        Ok(())
    }

    /// Makes a Huffman table ready for a scan; a missing one is what Motion JPEG takes for granted.
    pub(super) fn prepare(&mut self, class: Class, index: usize) -> Result<(), PipelineError> {
        let slots = match class {
            Class::Dc => &mut self.dc,
            Class::Ac => &mut self.ac,
        };
        let slot = slots
            .get_mut(index)
            .ok_or_else(|| malformed("a scan names a table above 3"))?;
        if slot.is_none() {
            let table = default_table(class, index)
                .map_err(|_| PipelineError::Bug("a default Huffman table is wrong".into()))?;
            *slot = Some(Box::new(table));
        }
        if let Some(table) = slot {
            table.prepare(class);
        }
        Ok(())
    }
}

/// What a SOS segment says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct ScanHeader {
    /// For each component of the scan: its index in the frame, its DC and its AC table.
    pub(super) components: Vec<(usize, usize, usize)>,
    pub(super) spectral_start: u8,
    pub(super) spectral_end: u8,
    pub(super) high: u8,
    pub(super) low: u8,
}

impl ScanHeader {
    /// Reads the payload of a SOS segment for a frame with components of these ids.
    pub(super) fn parse(payload: &[u8], ids: &[u8]) -> Result<Self, PipelineError> {
        let short = || malformed("a SOS segment is too short");
        let (&count, rest) = payload.split_first().ok_or_else(short)?;
        let count = usize::from(count);
        if !(1..=ids.len()).contains(&count) {
            return Err(malformed(format!(
                "a scan has {count} of {} components",
                ids.len()
            )));
        }
        let selectors = rest.get(..2 * count).ok_or_else(short)?;
        let &[spectral_start, spectral_end, approximation] = rest
            .get(2 * count..)
            .and_then(<[u8]>::first_chunk)
            .ok_or_else(short)?;
        let mut components: Vec<(usize, usize, usize)> = Vec::with_capacity(count);
        for selector in selectors.chunks_exact(2) {
            // Some files give two components the same id: then the order counts.
            let index = (0..ids.len())
                .find(|&i| ids[i] == selector[0] && components.iter().all(|&(c, ..)| c != i))
                .ok_or_else(|| malformed("a scan names a component that the frame has not"))?;
            components.push((
                index,
                usize::from(selector[1] >> 4),
                usize::from(selector[1] & 15),
            ));
        }
        Ok(Self {
            components,
            spectral_start,
            spectral_end,
            high: approximation >> 4,
            low: approximation & 15,
        })
    }

    /// Makes it the header of a sequential scan, which has all coefficients and all their bits:
    /// T.81 B.2.3 wants it to say so, but the cameras of some phones write what they like.
    pub(super) fn take_all_coefficients(&mut self) {
        (self.spectral_start, self.spectral_end) = (0, 63);
        (self.high, self.low) = (0, 0);
    }

    /// Whether the parameters of a progressive scan are legal (T.81 G.1.1.1).
    pub(super) fn is_legal_progressive(&self) -> bool {
        // T.81 G.1.1.1.1: no scan has both DC and AC, and AC is never interleaved.
        let band = if self.spectral_start == 0 {
            self.spectral_end == 0
        } else {
            self.spectral_end >= self.spectral_start
                && self.spectral_end <= 63
                && self.components.len() == 1
        };
        // T.81 G.1.1.1.2: the first scan may leave out up to 13 bits; each later one adds one bit.
        band && self.low <= 13 && (self.high == 0 || self.high == self.low + 1)
    }
}

pub(super) fn malformed(detail: impl Into<std::borrow::Cow<'static, str>>) -> PipelineError {
    PipelineError::malformed(JPEG, detail)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn zigzag_is_a_permutation() {
        let mut seen = [false; 64];
        for &i in &ZIGZAG {
            seen[usize::from(i)] = true;
        }
        assert_eq!(seen, [true; 64]);
    }

    #[test]
    fn takes_tables_of_both_widths() {
        let mut tables = Tables::default();
        let mut payload = vec![0x01];
        payload.extend(0..64);
        payload.push(0x13);
        payload.extend((0..64_u16).flat_map(|v| (v * 300).to_be_bytes()));
        tables.define_quant(&payload).unwrap();
        assert_eq!(tables.quant[1].as_ref().unwrap()[8], 2);
        assert_eq!(tables.quant[3].as_ref().unwrap()[63], 18_900);
        assert!(tables.define_quant(&payload[..60]).is_err());
        assert!(tables.define_quant(&[4; 65]).is_err());
    }

    #[test]
    fn tells_scans_of_equal_ids_apart() {
        let scan = ScanHeader::parse(&[2, 7, 0x12, 7, 0x21, 0, 63, 0], &[7, 7, 7]).unwrap();
        assert_eq!(scan.components, [(0, 1, 2), (1, 2, 1)]);
        for bad in [
            &[][..],
            &[0, 0, 63, 0],
            &[1, 9, 0, 0, 63, 0],
            &[4, 7, 0, 7, 0, 7, 0, 7, 0, 0, 63, 0],
            &[1, 7, 0, 0, 63],
        ] {
            assert!(ScanHeader::parse(bad, &[7, 7, 7]).is_err());
        }
    }

    #[test]
    fn knows_legal_progressive_scans() {
        for (start, end, high, low, count, want) in [
            (0, 0, 0, 1, 3, true),
            (0, 5, 0, 0, 1, false),
            (1, 5, 0, 2, 1, true),
            (1, 5, 0, 2, 2, false),
            (6, 5, 0, 0, 1, false),
            (6, 64, 0, 0, 1, false),
            (1, 63, 2, 1, 1, true),
            (1, 63, 3, 1, 1, false),
            (1, 63, 0, 14, 1, false),
        ] {
            let scan = ScanHeader {
                components: vec![(0, 0, 0); count],
                spectral_start: start,
                spectral_end: end,
                high,
                low,
            };
            assert_eq!(scan.is_legal_progressive(), want, "{scan:?}");
        }
    }
}
