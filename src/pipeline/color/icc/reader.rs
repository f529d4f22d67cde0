//! Big-endian numbers at offsets that a file says, checked.

/// The bytes of a profile or of one of its tags.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bytes<'a>(pub(super) &'a [u8]);

impl<'a> Bytes<'a> {
    /// What lies from `offset` on.
    pub(super) fn from(self, offset: usize) -> Option<Self> {
        self.0.get(offset..).map(Self)
    }

    /// The `len` bytes at `offset`.
    pub(super) fn slice(self, offset: usize, len: usize) -> Option<&'a [u8]> {
        self.0.get(offset..offset.checked_add(len)?)
    }

    /// Four characters.
    pub(super) fn signature(self, offset: usize) -> Option<[u8; 4]> {
        self.0.get(offset..)?.first_chunk().copied()
    }

    pub(super) fn u8(self, offset: usize) -> Option<u8> {
        self.0.get(offset).copied()
    }

    pub(super) fn u16(self, offset: usize) -> Option<u16> {
        let bytes = self.0.get(offset..)?.first_chunk()?;
        Some(u16::from_be_bytes(*bytes))
    }

    /// An unsigned 32-bit number, as what it counts or where it points.
    pub(super) fn index(self, offset: usize) -> Option<usize> {
        usize::try_from(u32::from_be_bytes(self.signature(offset)?)).ok()
    }

    /// An `s15Fixed16Number`.
    pub(super) fn fixed(self, offset: usize) -> Option<f64> {
        Some(f64::from(i32::from_be_bytes(self.signature(offset)?)) / 65_536.0)
    }

    /// `count` numbers of 8 or 16 bits, widened to 16.
    pub(super) fn samples(
        self,
        offset: usize,
        count: usize,
        bytes_each: usize,
    ) -> Option<Vec<u16>> {
        let bytes = self.slice(offset, count.checked_mul(bytes_each)?)?;
        let mut samples = Vec::new();
        samples.try_reserve_exact(count).ok()?;
        if bytes_each == 1 {
            samples.extend(bytes.iter().map(|byte| u16::from(*byte) * 257));
        } else {
            let pairs = bytes.as_chunks::<2>().0;
            samples.extend(pairs.iter().map(|pair| u16::from_be_bytes(*pair)));
        }
        Some(samples)
    }
}
