//! What is known of a file before its images.

use heifer_hevc_dec::params::Vui;
use image::metadata::Orientation;

use super::boxes::{Meta, Reader, find_meta};
use super::config::Chroma;
use super::items::Items;
use super::layer::{Found, Layer};
use super::malformed;
use super::properties::{self, Colors, Crop, Transforms};
use super::rows::Output;
use super::schedule::Schedule;
use crate::color::cicp::Cicp;
use crate::color_model::{LumaWeights, SampleModel, SampleRange};
use crate::decode::webp::LoopFilter;
use crate::decode::{HeaderStatus, Plane};
use crate::{ImageFormat, PipelineError};

/// The names of alpha among auxiliary images.
const ALPHA: [&[u8]; 2] = [
    b"urn:mpeg:mpegB:cicp:systems:auxiliary:alpha",
    b"urn:mpeg:hevc:2015:auxid:1",
];

/// What is known of a HEIC file before its images.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HeicHeader {
    /// Width in pixels, as stored.
    pub width: u32,
    /// Height in pixels, as stored.
    pub height: u32,
    /// How the stored image is turned to be shown, which is not what EXIF says.
    pub orientation: Orientation,
    /// The color profile.
    pub icc_profile: Option<Vec<u8>>,
    /// Code points of the colors of RGB, where there is no profile.
    pub cicp: Option<Cicp>,
    /// Bits of a sample.
    pub bits: u8,
    pub(super) model: SampleModel,
    pub(super) range: SampleRange,
    pub(super) is_premultiplied: bool,
    pub(super) crop: Crop,
    pub(super) color: Layer,
    pub(super) alpha: Option<Layer>,
}

/// Reads the description of a file, which may come behind its images.
pub fn read_header(prefix: &[u8]) -> Result<HeaderStatus<HeicHeader>, PipelineError> {
    let meta = match find_meta(prefix)? {
        HeaderStatus::NeedMore => return Ok(HeaderStatus::NeedMore),
        HeaderStatus::Ready(meta) => meta,
    };
    let Meta { payload, at, .. } = meta;
    let header = HeicHeader::of(&Items::read(payload, at)?)?;
    Ok(HeaderStatus::Ready(header))
}

impl HeicHeader {
    fn of(items: &Items<'_>) -> Result<Self, PipelineError> {
        properties::check_essential(items, items.primary)?;
        let Found {
            layer: color,
            vui,
            ids,
        } = Layer::of(items, items.primary)?;
        let Transforms { crop, orientation } =
            properties::transforms(items, items.primary, color.size)?;
        check_crop(crop, color.shape.chroma)?;
        let alpha = Alpha::find(items, &ids, color.size)?;
        let Colors { icc_profile, cicp } = colors(items, &ids, vui)?;
        // What nobody says is as H.265, section E.3.1, infers it.
        let range = match cicp {
            Some(Cicp { full_range: 1, .. }) => SampleRange::Full,
            _ => SampleRange::Limited,
        };
        let [luma_bits, chroma_bits] = color.shape.bits;
        Ok(Self {
            width: crop.width,
            height: crop.height,
            orientation,
            // Of both, the profile says more.
            cicp: cicp.filter(|_| icc_profile.is_none()).map(|cicp| Cicp {
                matrix: 0,
                full_range: 1,
                ..cicp
            }),
            icc_profile,
            bits: luma_bits.max(chroma_bits),
            model: model(
                color.shape.chroma,
                cicp.map_or(2, |cicp| cicp.matrix),
                range,
            )?,
            range,
            is_premultiplied: alpha.as_ref().is_some_and(|alpha| alpha.is_premultiplied),
            crop,
            color,
            alpha: alpha.map(|alpha| alpha.layer),
        })
    }

    /// Whether pixels can be transparent.
    pub const fn has_alpha(&self) -> bool {
        self.alpha.is_some()
    }

    /// The planes that come out.
    pub fn planes(&self) -> Vec<Plane> {
        self.output().planes(self)
    }

    /// What the channels of the planes mean.
    pub fn sample_model(&self) -> SampleModel {
        match self.output() {
            Output::Rgba => SampleModel::Rgba,
            Output::Planes | Output::Gray => self.model,
        }
    }

    pub(super) fn output(&self) -> Output {
        match (&self.alpha, self.color.shape.chroma) {
            (Some(_), _) => Output::Rgba,
            (None, Chroma::None) => Output::Gray,
            (None, _) => Output::Planes,
        }
    }

    pub(super) fn layers(&self) -> impl Iterator<Item = &Layer> {
        std::iter::once(&self.color).chain(&self.alpha)
    }

    /// Says what decoding takes at most, in bytes, with the bytes of images that have to wait for their turn.
    pub fn peak_bytes(&self, filter: LoopFilter) -> u64 {
        let bands: u64 = self.layers().map(Layer::band_bytes).sum();
        let work = self.layers().map(|layer| layer.work_bytes(filter)).max();
        let schedule = Schedule::new(self);
        // Rows of three channels or four, as 16 bits and as 32.
        let rows = 64 * u64::from(self.color.size.0);
        bands
            .saturating_add(work.unwrap_or(0))
            .saturating_add(schedule.held_bytes())
            .saturating_add(schedule.heap_bytes())
            .saturating_add(self.heap_bytes())
            .saturating_add(rows)
    }

    /// Bytes that this holds besides itself.
    pub fn heap_bytes(&self) -> u64 {
        let own: u64 = self.layers().map(Layer::heap_bytes).sum();
        own + self.icc_profile.as_ref().map_or(0, Vec::len) as u64
    }
}

/// What is said about the colors of the primary image: by itself, its first tile or its parameter sets.
fn colors(items: &Items<'_>, ids: &[u32], vui: Option<Vui>) -> Result<Colors, PipelineError> {
    let mut colors = Colors::default();
    for &id in [items.primary].iter().chain(ids.first()) {
        if colors.icc_profile.is_none() && colors.cicp.is_none() {
            colors = properties::colors(items, id)?;
        }
    }
    colors.cicp = colors.cicp.or_else(|| {
        vui.map(|vui| Cicp {
            primaries: vui.colour_primaries,
            transfer: vui.transfer_characteristics,
            matrix: vui.matrix_coeffs,
            full_range: vui.video_full_range_flag.into(),
        })
    });
    Ok(colors)
}

/// The alpha channel of an image.
struct Alpha {
    layer: Layer,
    is_premultiplied: bool,
}

impl Alpha {
    /// Finds that of the primary image, which has `size` and is made of the items `ids`.
    fn find(
        items: &Items<'_>,
        ids: &[u32],
        size: (u32, u32),
    ) -> Result<Option<Self>, PipelineError> {
        for (id, _) in items.referrers(*b"auxl", &[items.primary])? {
            if is_alpha(items, id)? {
                return Self::of(items, id, size).map(Some);
            }
        }
        for (id, tile) in items.referrers(*b"auxl", ids)? {
            if tile != items.primary && is_alpha(items, id)? {
                let feature = "alpha of single tiles";
                return Err(PipelineError::unsupported(ImageFormat::Heic, feature));
            }
        }
        Ok(None)
    }

    fn of(items: &Items<'_>, id: u32, size: (u32, u32)) -> Result<Self, PipelineError> {
        let layer = Layer::of(items, id)?.layer;
        if layer.size != size {
            let feature = "alpha of another size than the image";
            return Err(PipelineError::unsupported(ImageFormat::Heic, feature));
        }
        let multiplied = items.referrers(*b"prem", &[id])?;
        Ok(Self {
            layer,
            is_premultiplied: multiplied.iter().any(|&(from, _)| from == items.primary),
        })
    }
}

/// Whether an auxiliary image is alpha; others are depths and gains of light.
fn is_alpha(items: &Items<'_>, id: u32) -> Result<bool, PipelineError> {
    let Some(property) = items.property(id, *b"auxC") else {
        return Ok(false);
    };
    let mut reader = Reader::new(property.payload);
    reader.version()?;
    // A string that ends with 0; what follows depends on the kind.
    let name = reader.rest().split(|&byte| byte == 0).next();
    Ok(name.is_some_and(|name| ALPHA.contains(&name)))
}

fn check_crop(crop: Crop, chroma: Chroma) -> Result<(), PipelineError> {
    let (x, y) = chroma.pixels_per_sample();
    if !crop.left.is_multiple_of(x) || !crop.top.is_multiple_of(y) {
        let feature = format!(
            "a cut (clap) at {},{}, which cuts samples of chroma",
            crop.left, crop.top
        );
        return Err(PipelineError::unsupported(ImageFormat::Heic, feature));
    }
    if crop.width == 0 || crop.height == 0 {
        return Err(malformed("its image is empty"));
    }
    Ok(())
}

/// What the samples of an image without alpha mean, by H.273's matrix coefficients.
fn model(chroma: Chroma, matrix: u8, range: SampleRange) -> Result<SampleModel, PipelineError> {
    let weights = match (chroma, matrix) {
        (Chroma::None, _) => return Ok(SampleModel::Gray),
        // The matrix 0 is none: the components are green, blue and red.
        (Chroma::Full, 0) => return Ok(SampleModel::Rgb),
        (_, 1) => LumaWeights::Bt709,
        // Unspecified counts as BT.601, as everywhere.
        (_, 2 | 5 | 6) => LumaWeights::Bt601,
        (_, 9) => LumaWeights::Bt2020,
        (_, matrix) => {
            let feature = format!("the matrix coefficients {matrix} of H.273");
            return Err(PipelineError::unsupported(ImageFormat::Heic, feature));
        }
    };
    Ok(SampleModel::YCbCr(weights, range))
}
