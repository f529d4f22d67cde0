//! Tests of `lzw`.

use weezl::{BitOrder, LzwStatus};

use super::*;

/// Repeatable noise.
struct Random(u32);

impl Random {
    fn below(&mut self, end: u32) -> u32 {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (self.0 >> 8) % end
    }
}

/// All pixels, from pieces of `piece` bytes, and whether the stream is over.
fn unpack(bits: u8, packed: &[u8], piece: usize) -> (Vec<u8>, bool) {
    let (mut lzw, mut out) = (Lzw::new(bits), Vec::new());
    for mut bytes in packed.chunks(piece) {
        loop {
            let (pixels, stop) = lzw.unpack(&mut bytes);
            out.extend_from_slice(pixels);
            match stop {
                Stop::Over => return (out, true),
                Stop::NeedMore => break,
                Stop::Full => {}
            }
        }
    }
    (out, false)
}

fn reference(bits: u8, mut packed: &[u8]) -> (Vec<u8>, bool) {
    let mut decoder = weezl::decode::Decoder::new(BitOrder::Lsb, bits);
    let (mut out, mut room) = (Vec::new(), [0; 5000]);
    let mut idle = 0;
    // It has up to 64 bits of codes, of which those that clear the table move nothing that can be seen.
    while idle < 64 {
        let result = decoder.decode_bytes(packed, &mut room);
        packed = &packed[result.consumed_in..];
        out.extend_from_slice(&room[..result.consumed_out]);
        if !matches!(result.status, Ok(LzwStatus::Ok | LzwStatus::NoProgress)) {
            return (out, true);
        }
        let is_idle = result.consumed_in == 0 && result.consumed_out == 0;
        idle = if is_idle { idle + 1 } else { 0 };
    }
    (out, false)
}

/// Writes `count` codes that `choose` takes from the table as it is: it gets the code that clears it and the next new one.
fn pack(bits: u8, count: u32, mut choose: impl FnMut(u32, u32) -> u32) -> Vec<u8> {
    let clear = 1 << bits;
    let (mut next, mut width, mut follows) = (clear + 2, u32::from(bits) + 1, false);
    let (mut packed, mut held, mut held_bits) = (Vec::new(), 0_u64, 0);
    for _ in 0..count {
        let code = choose(clear, next);
        held |= u64::from(code) << held_bits;
        held_bits += width;
        while held_bits >= 8 {
            packed.push(held.to_le_bytes()[0]);
            held >>= 8;
            held_bits -= 8;
        }
        if code == clear {
            (next, width, follows) = (clear + 2, u32::from(bits) + 1, false);
        } else if std::mem::replace(&mut follows, true) && next < 4096 {
            next += 1;
            width += u32::from(next >> width != 0 && width < 12);
        }
    }
    packed.push(held.to_le_bytes()[0]);
    packed
}

fn assert_like_the_reference(bits: u8, packed: &[u8]) {
    let want = reference(bits, packed);
    for piece in [1, 2, 255, packed.len()] {
        assert!(
            unpack(bits, packed, piece) == want,
            "{bits} bits, pieces of {piece}"
        );
    }
}

#[test]
fn what_an_encoder_packs_is_unpacked() {
    let mut random = Random(3);
    for bits in 2..=8 {
        let mask = (1_u32 << bits) - 1;
        for run in [1, 9, 3000] {
            let mut pixels = Vec::new();
            while pixels.len() < 60_000 {
                let pixel = u8::try_from(random.below(256) & mask).unwrap();
                let len = 1 + random.below(run);
                pixels.extend(std::iter::repeat_n(pixel, len as usize));
            }
            let mut encoder = weezl::encode::Encoder::new(BitOrder::Lsb, bits);
            let packed = encoder.encode(&pixels).unwrap();
            assert!(
                unpack(bits, &packed, 255) == (pixels, true),
                "{bits}, {run}"
            );
            assert_like_the_reference(bits, &packed);
        }
    }
}

#[test]
fn any_codes_are_read_as_the_reference_reads_them() {
    let mut random = Random(8);
    for round in 0..600 {
        let bits = u8::try_from(1 + round % 8).unwrap();
        // Without a code that clears it, the table is full from the 4096th code on.
        let clears = [0, 1, 300][random.below(3) as usize];
        let newest = 1 + random.below(8);
        let packed = pack(bits, random.below(9000), |clear, next| {
            if clears > 0 && random.below(1 + 6000 / clears) == 0 {
                return clear;
            }
            let code = match random.below(newest) {
                // What it completes itself, and what was added last: long strings.
                0 => next - random.below(3),
                _ => random.below(next),
            };
            // The end, and codes that do not exist, come now and then.
            match random.below(4000) {
                0 => clear + 1,
                1 => next + 1,
                _ if code == clear || code == clear + 1 => 0,
                _ => code.min(4095),
            }
        });
        assert_like_the_reference(bits, &packed);
    }
}

#[test]
fn noise_is_read_as_the_reference_reads_it() {
    let mut random = Random(1);
    for round in 0..2000 {
        let bits = u8::try_from(1 + round % 8).unwrap();
        let packed: Vec<u8> = (0..=random.below(60))
            .map(|_| u8::try_from(random.below(256)).unwrap())
            .collect();
        assert_like_the_reference(bits, &packed);
    }
}

#[test]
fn strings_as_long_as_the_table_fit() {
    // Every code completes itself: strings of 1, 2, 3, … equal pixels until the table is full.
    // No more of them than that: three times 9 MB have to fit into the memory of a wasm.
    let packed = pack(8, 4200, |_, next| match next {
        258 => 7,
        _ => (next).min(4095),
    });
    let (pixels, is_over) = unpack(8, &packed, 255);
    assert!(!is_over && pixels.iter().all(|&pixel| pixel == 7));
    assert_like_the_reference(8, &packed);
}
