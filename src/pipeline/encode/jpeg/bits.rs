//! Entropy-coded data of a scan: Huffman codes and bits behind them (T.81, F.1.2).

use super::super::output::Output;
use super::tables::{Class, Codes, ac, dc};

/// The symbol for 16 zeros, and the one for nothing but zeros up to the end of the block.
const SIXTEEN_ZEROS: usize = 0xf0;
const END_OF_BLOCK: usize = 0;

/// Collects bits, the first one uppermost.
#[derive(Debug, Default)]
pub(super) struct Bits {
    bits: u64,
    count: u32,
}

impl Bits {
    /// Appends the lower `count` bits of `bits`; those above are 0.
    #[inline]
    fn put(&mut self, bits: u32, count: u32, output: &mut Output) {
        if self.count + count > 64 {
            let over = self.count + count - 64;
            let word = (self.bits << (count - over)) | u64::from(bits) >> over;
            push_stuffed(&word.to_be_bytes(), output);
            self.count = over;
        } else {
            self.count += count;
        }
        self.bits = self.bits << (count & 63) | u64::from(bits);
    }

    /// Fills the last byte with ones and writes what is left.
    pub(super) fn finish(mut self, output: &mut Output) {
        self.put(0x7f, 7, output);
        let bytes = self.count / 8;
        let word = self.bits >> (self.count % 8) << (64 - 8 * bytes.max(1));
        push_stuffed(&word.to_be_bytes()[..bytes as usize], output);
    }
}

/// Writes bytes, and a zero behind each that would begin a marker (T.81, B.1.1.5).
#[inline]
fn push_stuffed(bytes: &[u8], output: &mut Output) {
    if !bytes.contains(&0xff) {
        output.push(bytes);
        return;
    }
    for byte in bytes {
        output.push(&[*byte]);
        if *byte == 0xff {
            output.push(&[0]);
        }
    }
}

/// The codes of a component.
#[derive(Debug)]
pub(super) struct BlockCodes {
    dc: Codes,
    ac: Codes,
}

impl BlockCodes {
    pub(super) fn new(class: Class) -> Self {
        Self {
            dc: dc(class).codes(),
            ac: ac(class).codes(),
        }
    }

    /// Writes a block in zigzag order; `before` is the DC coefficient of the component's last one.
    pub(super) fn write(
        &self,
        block: &[i16; 64],
        before: i16,
        bits: &mut Bits,
        output: &mut Output,
    ) {
        let (size, value) = category(block[0].wrapping_sub(before));
        put_coded(self.dc[size as usize], size, value, bits, output);
        let mut nonzero = 0_u64;
        for (at, value) in block.iter().enumerate() {
            nonzero |= u64::from(*value != 0) << at;
        }
        nonzero &= !1;
        let mut next = 1;
        while nonzero != 0 {
            let at = nonzero.trailing_zeros();
            nonzero &= nonzero - 1;
            let mut zeros = at - next;
            while zeros > 15 {
                put_coded(self.ac[SIXTEEN_ZEROS], 0, 0, bits, output);
                zeros -= 16;
            }
            let (size, value) = category(block[at as usize]);
            let symbol = (zeros << 4 | size) as usize & 255;
            put_coded(self.ac[symbol], size, value, bits, output);
            next = at + 1;
        }
        if next < 64 {
            put_coded(self.ac[END_OF_BLOCK], 0, 0, bits, output);
        }
    }
}

#[inline]
fn put_coded(
    (code, length): (u16, u8),
    size: u32,
    value: u32,
    bits: &mut Bits,
    output: &mut Output,
) {
    bits.put(
        u32::from(code) << size | value,
        u32::from(length) + size,
        output,
    );
}

/// How many bits a number takes, and these: negative ones are one less, so that they begin with 0.
#[inline]
fn category(value: i16) -> (u32, u32) {
    let size = 16 - value.unsigned_abs().leading_zeros();
    let shifted = i32::from(value) - i32::from(value < 0);
    (size, shifted.cast_unsigned() & ((1 << size) - 1))
}
