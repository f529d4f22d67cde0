//! How much an image may ask of the machine.

use super::{LimitError, PipelineError};

/// The longest file that is written unless it is configured: the copy of it in JavaScript counts too.
pub(super) const MAX_OUTPUT_BYTES: u64 = 24 << 20;

/// Limits that are checked before the work that they bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// The longest file, in bytes. Default: 32 MiB, more than phones and cameras write as JPEG.
    pub max_bytes: u64,
    /// The most pixels, width times height. Default: 400 million,
    /// which takes seconds, and no more memory than a small image where rows are streamed.
    pub max_pixels: u64,
    /// The longest side, in pixels. Default: one million, since strips of that length exist.
    pub max_side: u32,
    /// The most memory for decoding, shrinking and encoding together. Default: 64 MiB,
    /// which leaves half of an isolate's 128 MB to the code, the queue and the runtime.
    pub max_memory_bytes: u64,
    /// The longest file that is written, in bytes. Default: 24 MiB, since a copy of it is made in
    /// JavaScript when it is stored, which the isolate has to hold beside our memory.
    pub max_output_bytes: u64,
    /// The most work of one job, in nanoseconds of CPU as [`super::work`] counts them. Default: 10 s,
    /// a third of what the platform gives an invocation.
    pub max_work: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_bytes: 32 << 20,
            max_pixels: 400_000_000,
            max_side: 1_000_000,
            max_memory_bytes: 64 << 20,
            max_output_bytes: MAX_OUTPUT_BYTES,
            max_work: 10_000_000_000,
        }
    }
}

impl Limits {
    /// Refuses a file of more than [`Limits::max_bytes`].
    pub fn check_bytes(&self, bytes: u64) -> Result<(), PipelineError> {
        if bytes > self.max_bytes {
            return Err(LimitError::Count {
                what: "bytes",
                max: self.max_bytes,
            }
            .into());
        }
        Ok(())
    }

    /// Refuses an image whose sides or area are too large.
    pub fn check_size(&self, width: u32, height: u32) -> Result<(), PipelineError> {
        if width.max(height) > self.max_side {
            return Err(LimitError::Side {
                width,
                height,
                max_side: self.max_side,
            }
            .into());
        }
        if u64::from(width) * u64::from(height) > self.max_pixels {
            return Err(LimitError::Pixels {
                width,
                height,
                max_pixels: self.max_pixels,
            }
            .into());
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_limit_admits_its_own_value_and_no_more() {
        let limits = Limits {
            max_bytes: 10,
            max_pixels: 100,
            max_side: 50,
            max_memory_bytes: 1,
            max_output_bytes: 1,
            max_work: 1,
        };
        assert!(limits.check_bytes(10).is_ok());
        assert!(limits.check_bytes(11).is_err());
        assert!(limits.check_size(50, 2).is_ok());
        assert!(matches!(
            limits.check_size(51, 1),
            Err(PipelineError::Limit(LimitError::Side { width: 51, .. }))
        ));
        assert!(matches!(
            limits.check_size(50, 3),
            Err(PipelineError::Limit(LimitError::Pixels { height: 3, .. }))
        ));
    }
}
