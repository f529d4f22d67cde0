//! Bytes as hexadecimal digits.

/// Two lower-case digits for each byte.
pub fn encode(bytes: &[u8]) -> String {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |value: u8| char::from(DIGITS[usize::from(value & 15)]);
    bytes
        .iter()
        .flat_map(|byte| [digit(byte >> 4), digit(*byte)])
        .collect()
}

/// The `N` bytes that twice as many digits stand for.
pub fn decode<const N: usize>(digits: &str) -> Option<[u8; N]> {
    let mut bytes = [0; N];
    if digits.len() != 2 * N {
        return None;
    }
    for (byte, pair) in bytes.iter_mut().zip(digits.as_bytes().chunks_exact(2)) {
        let digit = |digit: u8| char::from(digit).to_digit(16);
        *byte = u8::try_from(digit(pair[0])? * 16 + digit(pair[1])?).ok()?;
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digits_stand_for_the_bytes_that_they_came_from() {
        let bytes: Vec<u8> = (0..=255).collect();
        let digits = encode(&bytes);
        assert_eq!(decode::<256>(&digits).map(Vec::from), Some(bytes));
        assert_eq!(decode::<2>("aBC0"), Some([0xab, 0xc0]));
        for wrong in ["", "0", "000", "00000", "0g00", "+100", "é00"] {
            assert_eq!(decode::<2>(wrong), None, "{wrong}");
        }
    }
}
