//! Images of at most 256 colors, found exactly.

/// The colors of an image and which of them each pixel has.
#[derive(Debug, PartialEq)]
pub(super) struct Indexed {
    /// RGBA; those that are not opaque come first.
    pub(super) colors: Vec<[u8; 4]>,
    /// One index per pixel.
    pub(super) pixels: Vec<u8>,
}

/// Slots of the hash table: four times the colors, so that probing stays short.
const SLOTS: usize = 1024;

/// Finds the colors of an image, or `None` if it has more than `most`, which is at most 256.
///
/// The order is fixed by the colors alone: by alpha, then by value.
pub(super) fn index(pixels: impl Iterator<Item = [u8; 4]> + Clone, most: usize) -> Option<Indexed> {
    let mut table = Table::new();
    let mut indices = Vec::new();
    indices.try_reserve_exact(pixels.size_hint().0).ok()?;
    for pixel in pixels {
        indices.push(table.index(pixel, most)?);
    }
    let mut order: Vec<usize> = (0..table.colors.len()).collect();
    order.sort_by_key(|index| {
        let [r, g, b, a] = table.colors[*index];
        (a, r, g, b)
    });
    let mut place = [0u8; 256];
    for (new, old) in (0u8..=255).zip(&order) {
        place[*old] = new;
    }
    for index in &mut indices {
        *index = place[usize::from(*index)];
    }
    Some(Indexed {
        colors: order.iter().map(|old| table.colors[*old]).collect(),
        pixels: indices,
    })
}

struct Table {
    /// Index plus one; 0 is free.
    slots: [u16; SLOTS],
    colors: Vec<[u8; 4]>,
}

impl Table {
    fn new() -> Self {
        Self {
            slots: [0; SLOTS],
            colors: Vec::with_capacity(256),
        }
    }

    fn index(&mut self, color: [u8; 4], most: usize) -> Option<u8> {
        // The upper bits of a product with 2^32 / golden ratio are well mixed.
        let hash = u32::from_le_bytes(color).wrapping_mul(0x9e37_79b9) >> 22;
        let mut slot = usize::try_from(hash).ok()? % SLOTS;
        loop {
            match self.slots[slot] {
                0 => break,
                found => {
                    let index = found - 1;
                    if self.colors[usize::from(index)] == color {
                        return u8::try_from(index).ok();
                    }
                }
            }
            slot = (slot + 1) % SLOTS;
        }
        if self.colors.len() >= most {
            return None;
        }
        let index = u8::try_from(self.colors.len()).ok()?;
        self.colors.push(color);
        self.slots[slot] = u16::from(index) + 1;
        Some(index)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colors_are_found_up_to_the_limit_and_sorted_by_alpha() {
        let ramp =
            |count: u16| (0..count).map(|v| [v.to_le_bytes()[0], v.to_le_bytes()[1], 7, 255]);
        assert_eq!(index(ramp(256), 256).unwrap().colors.len(), 256);
        assert_eq!(index(ramp(257), 256), None);
        let picture = [[9, 9, 9, 255], [1, 2, 3, 0], [9, 9, 9, 255], [5, 5, 5, 128]];
        let indexed = index(picture.into_iter(), 256).unwrap();
        assert_eq!(
            indexed.colors,
            [[1, 2, 3, 0], [5, 5, 5, 128], [9, 9, 9, 255]]
        );
        assert_eq!(indexed.pixels, [2, 0, 2, 1]);
    }
}
