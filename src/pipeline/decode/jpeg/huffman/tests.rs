//! Tests of `huffman`.

use super::super::bits::BitState;
use super::*;

#[test]
fn every_default_code_is_found_again() {
    for (class, index) in [
        (Class::Dc, 0),
        (Class::Dc, 1),
        (Class::Ac, 0),
        (Class::Ac, 1),
    ] {
        let table = default_table(class, index).unwrap();
        let (mut code, mut next) = (0_u32, 0);
        let definition = [
            [DC_LUMINANCE, DC_CHROMINANCE],
            [AC_LUMINANCE, AC_CHROMINANCE],
        ][usize::from(class == Class::Ac)][index];
        for length in 1..=16_u32 {
            for _ in 0..definition.0[length as usize - 1] {
                let data = ((code << (16 - length)) as u16).to_be_bytes();
                let data = [
                    data[0],
                    if data[0] == 0xFF { 0 } else { data[1] },
                    data[1],
                    0,
                ];
                let mut reader = BitReader::resume(&data, 0, BitState::default());
                reader.refill();
                assert_eq!(table.symbol(&mut reader), u32::from(definition.1[next]));
                next += 1;
                code += 1;
            }
            code <<= 1;
        }
        assert_eq!(next, definition.1.len());
    }
}

#[test]
fn refuses_more_codes_than_there_are() {
    let mut counts = [0; 16];
    counts[0] = 3;
    assert!(HuffmanTable::new(&counts, &[1, 2, 3]).is_err());
    counts[0] = 2;
    assert!(HuffmanTable::new(&counts, &[1, 2]).is_ok());
    assert!(HuffmanTable::new(&counts, &[1]).is_err());
    assert!(HuffmanTable::new(&[255; 16], &[0; 256]).is_err());
}

#[test]
fn skips_agree_with_single_symbols() {
    let mut table = default_table(Class::Ac, 0).unwrap();
    table.prepare(Class::Ac);
    for (window, &entry) in table.skips.as_ref().unwrap().iter().enumerate() {
        let (mut bits, mut coefficients) = (0, 0);
        while bits < u32::from(entry & 0xFF) {
            let (symbol, length) = table
                .lookup(((window << 4 << bits) & 0xFFFF) as u32)
                .unwrap();
            bits += length + (symbol & 15);
            coefficients += if symbol == 0 {
                SKIP_END
            } else {
                (symbol >> 4) + 1
            };
        }
        assert_eq!(bits, u32::from(entry & 0xFF));
        assert_eq!(
            coefficients,
            if bits == 0 { 0 } else { u32::from(entry >> 8) }
        );
    }
}
