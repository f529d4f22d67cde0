//! What the tests of the decoders share.

pub mod composition;

use thumbnail_pipeline::PipelineError;
use thumbnail_pipeline::decode::{Completeness, Decode, Plane, Progress, RowSink, Samples};

/// Holds a whole decoded image, and insists on every sample coming once.
pub struct Picture {
    pub planes: Vec<Plane>,
    pub rows: Vec<Vec<Option<Vec<u16>>>>,
    pub order: Vec<u32>,
}

impl Picture {
    pub fn new(planes: &[Plane]) -> Self {
        Self {
            planes: planes.to_vec(),
            rows: planes
                .iter()
                .map(|plane| vec![None; plane.height as usize])
                .collect(),
            order: Vec::new(),
        }
    }

    /// The samples of a plane, one row after the other.
    pub fn samples(&self, plane: usize) -> Vec<u16> {
        let rows = self.rows[plane].iter();
        rows.flat_map(|row| row.clone().expect("the row was given"))
            .collect()
    }

    /// The same as bytes.
    pub fn bytes(&self, plane: usize) -> Vec<u8> {
        let samples = self.samples(plane).into_iter();
        samples
            .map(|sample| u8::try_from(sample).unwrap())
            .collect()
    }
}

impl RowSink for Picture {
    fn row(&mut self, plane: usize, y: u32, samples: Samples<'_>) {
        let samples: Vec<u16> = match samples {
            Samples::U8(samples) => samples.iter().map(|&sample| sample.into()).collect(),
            Samples::U16(samples) => samples.to_vec(),
        };
        let shape = self.planes[plane];
        assert_eq!(
            samples.len(),
            shape.width as usize * usize::from(shape.channels)
        );
        let slot = &mut self.rows[plane][y as usize];
        assert!(slot.is_none(), "row {y} of plane {plane} came twice");
        *slot = Some(samples);
        if plane == 0 {
            self.order.push(y);
        }
    }

    fn pixels(&mut self, _: usize, _: u32, _: u32, _: u32, _: Samples<'_>) {
        panic!("the decoder is not scattered by pixels");
    }
}

/// Feeds a file in chunks until the decoder is done or the file ends, and checks that every row was given.
pub fn run(
    decoder: &mut dyn Decode,
    file: &[u8],
    chunk: usize,
) -> Result<(Picture, Completeness), PipelineError> {
    let mut picture = Picture::new(decoder.planes());
    for bytes in file.chunks(chunk.max(1)) {
        if decoder.feed(bytes, &mut picture)? == Progress::Done {
            break;
        }
    }
    let completeness = decoder.finish(&mut picture)?;
    for (plane, rows) in picture.rows.iter().enumerate() {
        let missing = rows.iter().position(Option::is_none);
        assert_eq!(missing, None, "plane {plane}");
    }
    if !decoder.scattered() {
        assert!(picture.order.is_sorted());
    }
    Ok((picture, completeness))
}

/// Repeatable noise.
pub struct Random(pub u32);

impl Random {
    pub fn below(&mut self, end: u32) -> u32 {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (self.0 >> 8) % end
    }
}

impl Random {
    pub fn byte(&mut self) -> u8 {
        self.below(256).to_le_bytes()[0]
    }
}

/// Calls `check` with copies of a file that have a few bits flipped.
pub fn with_flipped_bits(file: &[u8], rounds: u32, mut check: impl FnMut(&[u8])) {
    let mut random = Random(99);
    for _ in 0..rounds {
        let mut damaged = file.to_vec();
        for _ in 0..=random.below(8) {
            let at = random.below(u32::try_from(file.len()).unwrap()) as usize;
            damaged[at] ^= 1 << random.below(8);
        }
        check(&damaged);
    }
}
