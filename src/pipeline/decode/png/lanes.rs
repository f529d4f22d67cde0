//! Sixteen bytes side by side, as four words: one pixel of each of four rows.
//!
//! In wasm this is a `v128`; elsewhere an array that the compiler vectorises as it can.

#[cfg(target_arch = "wasm32")]
pub(super) use simd::Lanes;

#[cfg(not(target_arch = "wasm32"))]
pub(super) use array::Lanes;

#[cfg(target_arch = "wasm32")]
mod simd {
    use core::arch::wasm32 as arch;

    /// Sixteen bytes.
    #[derive(Clone, Copy)]
    pub(in super::super) struct Lanes(arch::v128);

    impl Lanes {
        #[inline]
        pub(in super::super) fn from_words([a, b, c, d]: [u32; 4]) -> Self {
            Self(arch::u32x4(a, b, c, d))
        }

        #[inline]
        pub(in super::super) fn to_words(self) -> [u32; 4] {
            [
                arch::u32x4_extract_lane::<0>(self.0),
                arch::u32x4_extract_lane::<1>(self.0),
                arch::u32x4_extract_lane::<2>(self.0),
                arch::u32x4_extract_lane::<3>(self.0),
            ]
        }

        /// Four neighboring pixels, each in a word whose bytes beyond the pixel may be anything.
        #[inline]
        pub(in super::super) fn load<const STEP: usize>(pixels: &[[u8; STEP]; 4]) -> Self {
            let bytes = pixels.as_flattened();
            let low = |bytes: &[u8]| bytes.first_chunk().map_or(0, |b| u64::from_le_bytes(*b));
            let word = |bytes: &[u8]| bytes.first_chunk().map_or(0, |b| u32::from_le_bytes(*b));
            match STEP {
                1 => {
                    // Each byte goes to all four places of its word: the other three may be anything.
                    let v = arch::u32x4_splat(word(bytes));
                    Self(arch::u8x16_shuffle::<
                        0,
                        0,
                        0,
                        0,
                        1,
                        1,
                        1,
                        1,
                        2,
                        2,
                        2,
                        2,
                        3,
                        3,
                        3,
                        3,
                    >(v, v))
                }
                2 => {
                    let v = arch::u64x2_splat(low(bytes));
                    Self(arch::u16x8_shuffle::<0, 0, 1, 1, 2, 2, 3, 3>(v, v))
                }
                3 => {
                    // Twelve bytes are four pixels; the fourth byte of each word repeats one that is at hand.
                    let v = arch::u64x2(low(bytes), u64::from(word(&bytes[8..])));
                    Self(arch::u8x16_shuffle::<
                        0,
                        1,
                        2,
                        2,
                        3,
                        4,
                        5,
                        5,
                        6,
                        7,
                        8,
                        8,
                        9,
                        10,
                        11,
                        11,
                    >(v, v))
                }
                _ => Self(arch::u64x2(low(bytes), low(&bytes[8..]))),
            }
        }

        /// The opposite of [`Self::load`].
        #[inline]
        pub(in super::super) fn store<const STEP: usize>(self, pixels: &mut [[u8; STEP]; 4]) {
            let bytes = pixels.as_flattened_mut();
            let v = self.0;
            let v = match STEP {
                1 => {
                    arch::u8x16_shuffle::<0, 4, 8, 12, 0, 4, 8, 12, 0, 4, 8, 12, 0, 4, 8, 12>(v, v)
                }
                2 => arch::u16x8_shuffle::<0, 2, 4, 6, 0, 2, 4, 6>(v, v),
                3 => arch::u8x16_shuffle::<0, 1, 2, 4, 5, 6, 8, 9, 10, 12, 13, 14, 15, 15, 15, 15>(
                    v, v,
                ),
                _ => v,
            };
            let low = arch::u64x2_extract_lane::<0>(v).to_le_bytes();
            if STEP == 1 {
                bytes.copy_from_slice(&low[..4]);
                return;
            }
            bytes[..8].copy_from_slice(&low);
            if STEP == 3 {
                let high = arch::u32x4_extract_lane::<2>(v).to_le_bytes();
                bytes[8..].copy_from_slice(&high);
            } else if STEP == 4 {
                let high = arch::u64x2_extract_lane::<1>(v).to_le_bytes();
                bytes[8..].copy_from_slice(&high);
            }
        }

        /// Word `j` of the result's vector `i` is word `i` of vector `j`.
        #[inline]
        pub(in super::super) fn transpose([a, b, c, d]: [Self; 4]) -> [Self; 4] {
            // Pairs of words, then pairs of pairs.
            let ab_low = arch::u32x4_shuffle::<0, 4, 1, 5>(a.0, b.0);
            let ab_high = arch::u32x4_shuffle::<2, 6, 3, 7>(a.0, b.0);
            let cd_low = arch::u32x4_shuffle::<0, 4, 1, 5>(c.0, d.0);
            let cd_high = arch::u32x4_shuffle::<2, 6, 3, 7>(c.0, d.0);
            [
                Self(arch::u64x2_shuffle::<0, 2>(ab_low, cd_low)),
                Self(arch::u64x2_shuffle::<1, 3>(ab_low, cd_low)),
                Self(arch::u64x2_shuffle::<0, 2>(ab_high, cd_high)),
                Self(arch::u64x2_shuffle::<1, 3>(ab_high, cd_high)),
            ]
        }

        /// Four vectors, each with one of the words in all places.
        #[inline]
        pub(in super::super) fn spread(self) -> [Self; 4] {
            [
                Self(arch::u32x4_shuffle::<0, 0, 0, 0>(self.0, self.0)),
                Self(arch::u32x4_shuffle::<1, 1, 1, 1>(self.0, self.0)),
                Self(arch::u32x4_shuffle::<2, 2, 2, 2>(self.0, self.0)),
                self,
            ]
        }

        /// The words moved up by one, with the last one of `first` in front.
        #[inline]
        pub(in super::super) fn shift_in(self, first: Self) -> Self {
            // From 4 on, words are those of `self`.
            Self(arch::u32x4_shuffle::<3, 4, 5, 6>(first.0, self.0))
        }

        #[inline]
        pub(in super::super) fn and(self, other: Self) -> Self {
            Self(arch::v128_and(self.0, other.0))
        }

        /// The bits that are in `self` or not in `other`.
        #[inline]
        pub(in super::super) fn or_not(self, other: Self) -> Self {
            Self(arch::v128_or(self.0, arch::v128_not(other.0)))
        }

        #[inline]
        pub(in super::super) fn min(self, other: Self) -> Self {
            Self(arch::u8x16_min(self.0, other.0))
        }

        #[inline]
        pub(in super::super) fn max(self, other: Self) -> Self {
            Self(arch::u8x16_max(self.0, other.0))
        }

        #[inline]
        pub(in super::super) fn wrapping_add(self, other: Self) -> Self {
            Self(arch::u8x16_add(self.0, other.0))
        }

        #[inline]
        pub(in super::super) fn wrapping_sub(self, other: Self) -> Self {
            Self(arch::u8x16_sub(self.0, other.0))
        }

        #[inline]
        pub(in super::super) fn saturating_sub(self, other: Self) -> Self {
            Self(arch::u8x16_sub_sat(self.0, other.0))
        }

        /// 255 where `self <= other`, else 0.
        #[inline]
        pub(in super::super) fn le_mask(self, other: Self) -> Self {
            Self(arch::u8x16_le(self.0, other.0))
        }

        /// The mean, rounded down.
        #[inline]
        pub(in super::super) fn mean(self, other: Self) -> Self {
            // The instruction rounds up: that is 1 too much where the lowest bits differ.
            let odd = arch::v128_and(arch::v128_xor(self.0, other.0), arch::u8x16_splat(1));
            Self(arch::u8x16_sub(arch::u8x16_avgr(self.0, other.0), odd))
        }
    }
}

#[cfg(not(target_arch = "wasm32"))]
mod array {
    use std::array;

    /// Sixteen bytes.
    #[derive(Clone, Copy)]
    pub(in super::super) struct Lanes([u8; 16]);

    impl Lanes {
        #[inline]
        pub(in super::super) fn from_words(words: [u32; 4]) -> Self {
            let mut bytes = [0; 16];
            for (to, word) in bytes.as_chunks_mut::<4>().0.iter_mut().zip(words) {
                *to = word.to_le_bytes();
            }
            Self(bytes)
        }

        #[inline]
        pub(in super::super) fn to_words(self) -> [u32; 4] {
            let (words, _) = self.0.as_chunks::<4>();
            array::from_fn(|i| u32::from_le_bytes(words[i]))
        }

        /// Four neighboring pixels, each in a word whose bytes beyond the pixel may be anything.
        #[inline]
        pub(in super::super) fn load<const STEP: usize>(pixels: &[[u8; STEP]; 4]) -> Self {
            Self::from_words(pixels.map(|pixel| {
                let mut word = [0; 4];
                word[..STEP].copy_from_slice(&pixel);
                u32::from_le_bytes(word)
            }))
        }

        /// The opposite of [`Self::load`].
        #[inline]
        pub(in super::super) fn store<const STEP: usize>(self, pixels: &mut [[u8; STEP]; 4]) {
            for (pixel, word) in pixels.iter_mut().zip(self.to_words()) {
                pixel.copy_from_slice(&word.to_le_bytes()[..STEP]);
            }
        }

        /// Word `j` of the result's vector `i` is word `i` of vector `j`.
        #[inline]
        pub(in super::super) fn transpose(vectors: [Self; 4]) -> [Self; 4] {
            let words = vectors.map(Self::to_words);
            array::from_fn(|i| Self::from_words(array::from_fn(|j| words[j][i])))
        }

        /// Four vectors, each with one of the words in all places.
        #[inline]
        pub(in super::super) fn spread(self) -> [Self; 4] {
            self.to_words().map(|word| Self::from_words([word; 4]))
        }

        /// The words moved up by one, with the last one of `first` in front.
        #[inline]
        pub(in super::super) fn shift_in(self, first: Self) -> Self {
            let [a, b, c, _] = self.to_words();
            Self::from_words([first.to_words()[3], a, b, c])
        }

        #[inline]
        fn zip(self, other: Self, f: impl Fn(u8, u8) -> u8) -> Self {
            let mut bytes = [0; 16];
            for ((to, a), b) in bytes.iter_mut().zip(self.0).zip(other.0) {
                *to = f(a, b);
            }
            Self(bytes)
        }

        #[inline]
        pub(in super::super) fn and(self, other: Self) -> Self {
            self.zip(other, |a, b| a & b)
        }

        /// The bits that are in `self` or not in `other`.
        #[inline]
        pub(in super::super) fn or_not(self, other: Self) -> Self {
            self.zip(other, |a, b| a | !b)
        }

        #[inline]
        pub(in super::super) fn min(self, other: Self) -> Self {
            self.zip(other, u8::min)
        }

        #[inline]
        pub(in super::super) fn max(self, other: Self) -> Self {
            self.zip(other, u8::max)
        }

        #[inline]
        pub(in super::super) fn wrapping_add(self, other: Self) -> Self {
            self.zip(other, u8::wrapping_add)
        }

        #[inline]
        pub(in super::super) fn wrapping_sub(self, other: Self) -> Self {
            self.zip(other, u8::wrapping_sub)
        }

        #[inline]
        pub(in super::super) fn saturating_sub(self, other: Self) -> Self {
            self.zip(other, u8::saturating_sub)
        }

        /// 255 where `self <= other`, else 0.
        #[inline]
        pub(in super::super) fn le_mask(self, other: Self) -> Self {
            self.zip(other, |a, b| if a <= b { u8::MAX } else { 0 })
        }

        /// The mean, rounded down.
        #[inline]
        pub(in super::super) fn mean(self, other: Self) -> Self {
            self.zip(other, u8::midpoint)
        }
    }
}
