//! An image as it is stored: one coded image, or a grid of them (ISO/IEC 23008-12, section 6.6.2.3).

use heifer_hevc_dec::params::Vui;

use super::boxes::Reader;
use super::config::{Config, Shape};
use super::items::{Items, Property, Span};
use super::{malformed, properties};
use crate::decode::webp::LoopFilter;
use crate::{ImageFormat, LimitError, PipelineError};

/// Configurations that tiles have; writers give all of them one, or each its own copy of it.
const MAX_CONFIGS: usize = 1024;

/// A coded image of the grid.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tile {
    /// Which of the configurations is its own.
    pub config: u16,
    /// Where its bytes lie.
    pub spans: Vec<Span>,
}

impl Tile {
    /// Bytes in the file; no more than [`Layer::of`] let through.
    pub fn len(&self) -> u64 {
        self.spans.iter().map(|span| u64::from(span.len)).sum()
    }
}

/// Coded images of one shape, side by side and row by row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layer {
    pub columns: u32,
    pub rows: u32,
    /// The size of the image: what tiles have beyond it is left out.
    pub size: (u32, u32),
    pub shape: Shape,
    pub configs: Vec<Config>,
    pub tiles: Vec<Tile>,
}

/// A layer, and what else was found on the way to it.
pub struct Found {
    pub layer: Layer,
    pub vui: Option<Vui>,
    /// The items of the tiles.
    pub ids: Vec<u32>,
}

impl Layer {
    /// Finds out how an item is stored.
    pub fn of(items: &Items<'_>, id: u32) -> Result<Found, PipelineError> {
        let kind = items.kind(id)?;
        let ids = match &kind {
            b"hvc1" | b"hev1" => vec![id],
            b"grid" => grid_parts(items, id)?,
            b"av01" => return Err(PipelineError::refused(ImageFormat::Avif)),
            _ => return Err(unsupported_kind(kind)),
        };
        let tiles = Tiles::read(items, &ids)?;
        let first = tiles.first;
        let (shape, vui) = first.ok_or_else(|| malformed("its grid has no tiles"))?;
        let said = properties::size(items, id)?;
        let (columns, rows, size) = if &kind == b"grid" {
            grid(items, id, said, shape.size, ids.len())?
        } else {
            (1, 1, said.unwrap_or(shape.size))
        };
        let layer = Self {
            columns,
            rows,
            size,
            shape,
            configs: tiles.configs,
            tiles: tiles.found,
        };
        layer.check()?;
        Ok(Found { layer, vui, ids })
    }

    fn check(&self) -> Result<(), PipelineError> {
        let (width, height) = self.shape.size;
        let covered = (
            u64::from(width) * u64::from(self.columns),
            u64::from(height) * u64::from(self.rows),
        );
        if u64::from(self.size.0) > covered.0 || u64::from(self.size.1) > covered.1 {
            return Err(malformed(format!(
                "{}x{} tiles of {width}x{height} do not cover its {}x{} pixels",
                self.columns, self.rows, self.size.0, self.size.1
            )));
        }
        let (x, y) = self.shape.chroma.pixels_per_sample();
        // Rows of a grid are put together sample by sample, so no sample of chroma may lie across two tiles.
        let cuts_chroma =
            |tiles: u32, side: u32, step: u32| tiles > 1 && !side.is_multiple_of(step);
        if cuts_chroma(self.columns, width, x) || cuts_chroma(self.rows, height, y) {
            let feature = format!("tiles of {width}x{height}, which cut samples of chroma");
            return Err(PipelineError::unsupported(ImageFormat::Heic, feature));
        }
        self.check_spans()
    }

    fn check_spans(&self) -> Result<(), PipelineError> {
        // Pieces are gathered as they come, so their order must be that of the file.
        let is_ascending = |tile: &Tile| {
            let pairs = tile.spans.iter().zip(tile.spans.iter().skip(1));
            pairs
                .map(|(before, after)| (before.end(), after.start))
                .all(|(end, start)| end <= start)
        };
        if !self.tiles.iter().all(is_ascending) {
            let feature = "an item whose pieces are not in the order of the file";
            return Err(PipelineError::unsupported(ImageFormat::Heic, feature));
        }
        // Tiles that share their bytes would take more work than a file of that size may.
        let spans = || self.tiles.iter().flat_map(|tile| &tile.spans);
        let start = spans().map(|span| span.start).min().unwrap_or(0);
        let end = spans().map(|span| span.end()).max().unwrap_or(0);
        let total: u64 = self.tiles.iter().map(Tile::len).sum();
        if total > 2 * (end - start) {
            return Err(malformed("its tiles overlap in the file"));
        }
        Ok(())
    }

    /// Bytes of the samples of a row of tiles.
    pub fn band_bytes(&self) -> u64 {
        self.shape.frame_bytes() * u64::from(self.columns)
    }

    /// Bytes that decoding one tile takes at most, besides its samples.
    pub fn work_bytes(&self, filter: LoopFilter) -> u64 {
        let longest = self.tiles.iter().map(Tile::len).max();
        self.shape.work_bytes(longest.unwrap_or(0), filter)
    }

    /// Bytes that the description itself takes.
    pub fn heap_bytes(&self) -> u64 {
        let spans: usize = self.tiles.iter().map(|tile| tile.spans.len()).sum();
        let configs: u64 = self.configs.iter().map(Config::heap_bytes).sum();
        let configs = configs + (self.configs.len() * size_of::<Config>()) as u64;
        let tiles = self.tiles.len() * size_of::<Tile>() + spans * size_of::<Span>();
        configs + tiles as u64
    }
}

fn unsupported_kind(kind: [u8; 4]) -> PipelineError {
    let feature = format!("an image of the kind {}", kind.escape_ascii());
    PipelineError::unsupported(ImageFormat::Heic, feature)
}

/// The tiles of a grid.
fn grid_parts(items: &Items<'_>, id: u32) -> Result<Vec<u32>, PipelineError> {
    let parts = items.parts(id)?;
    for name in [*b"irot", *b"imir", *b"clap"] {
        if parts
            .iter()
            .any(|&part| items.property(part, name).is_some())
        {
            let feature = "a grid of turned or cut tiles";
            return Err(PipelineError::unsupported(ImageFormat::Heic, feature));
        }
    }
    Ok(parts)
}

/// Columns, rows and size of a grid.
///
/// Its own description is read where it lies within the `meta` box.
/// Elsewhere it may come behind all pixels, and is what follows from the sizes of the grid and its tiles.
fn grid(
    items: &Items<'_>,
    id: u32,
    said: Option<(u32, u32)>,
    tile: (u32, u32),
    tiles: usize,
) -> Result<(u32, u32, (u32, u32)), PipelineError> {
    let (columns, rows, size) = match (items.inline(id), said) {
        (Some(payload), _) => read_grid(payload)?,
        (None, Some((width, height))) => (
            width.div_ceil(tile.0),
            height.div_ceil(tile.1),
            (width, height),
        ),
        (None, None) => return Err(malformed("its grid has no size")),
    };
    let count = u64::from(columns) * u64::from(rows);
    if count != tiles as u64 {
        return Err(malformed(format!(
            "its grid of {columns}x{rows} has {tiles} tiles"
        )));
    }
    Ok((columns, rows, size))
}

fn read_grid(payload: &[u8]) -> Result<(u32, u32, (u32, u32)), PipelineError> {
    let mut reader = Reader::new(payload);
    let [version, flags, rows, columns] = reader.array()?;
    if version != 0 {
        return Err(malformed("the version of its grid is not 0"));
    }
    let is_wide = flags & 1 != 0;
    let size = (reader.id(is_wide)?, reader.id(is_wide)?);
    // Stored less one; rows come first (ISO/IEC 23008-12, section 6.6.2.3).
    Ok((u32::from(columns) + 1, u32::from(rows) + 1, size))
}

/// Coded images of one shape, as they are found.
#[derive(Default)]
struct Tiles {
    found: Vec<Tile>,
    configs: Vec<Config>,
    /// The numbers of the properties that the configurations come from.
    indices: Vec<u16>,
    /// What the first one says.
    first: Option<(Shape, Option<Vui>)>,
}

impl Tiles {
    fn read(items: &Items<'_>, ids: &[u32]) -> Result<Self, PipelineError> {
        let mut tiles = Self {
            found: Vec::with_capacity(ids.len()),
            ..Self::default()
        };
        for &id in ids {
            let kind = items.kind(id)?;
            if !matches!(&kind, b"hvc1" | b"hev1") {
                return Err(unsupported_kind(kind));
            }
            properties::check_essential(items, id)?;
            let property = items.property(id, *b"hvcC");
            let property =
                property.ok_or_else(|| malformed(format!("item {id} has no hvcC box")))?;
            let config = tiles.config(&property)?;
            let spans = items.spans(id)?;
            tiles.found.push(Tile { config, spans });
        }
        Ok(tiles)
    }

    /// The number of a configuration, which is read where it is new.
    fn config(&mut self, property: &Property<'_>) -> Result<u16, PipelineError> {
        let known = (self.indices.iter()).rposition(|&index| index == property.index);
        let number = known.unwrap_or(self.configs.len());
        if known.is_none() {
            if number >= MAX_CONFIGS {
                let (what, max) = ("configurations of tiles", MAX_CONFIGS as u64);
                return Err(LimitError::Count { what, max }.into());
            }
            let config = Config::read(property.payload)?;
            let (shape, vui) = config.shape()?;
            let (of_first, _) = self.first.get_or_insert((shape.clone(), vui));
            if *of_first != shape {
                return Err(malformed("its tiles are of different shapes"));
            }
            self.configs.push(config);
            self.indices.push(property.index);
        }
        Ok(number as u16)
    }
}
