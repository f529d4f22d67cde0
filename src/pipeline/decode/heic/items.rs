//! The items of a file: their kinds, places, properties and what they refer to (ISO/IEC 14496-12, section 8.11).

use std::ops::Range;

use super::boxes::{Child, Name, Reader, boxes};
use super::malformed;
use crate::{ImageFormat, LimitError, PipelineError};

/// Items that we look at: a grid of 512 pixels a tile has one for each 0.26 megapixels.
const MAX_ITEMS: usize = 16_384;
/// Pieces of all items together.
const MAX_EXTENTS: usize = 32_768;
/// Properties; an association has 15 bits for its number.
const MAX_PROPERTIES: usize = 32_767;
/// Associations of properties to all items together.
const MAX_ASSOCIATIONS: usize = 131_072;

/// A piece of the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    pub start: u64,
    pub len: u32,
}

impl Span {
    /// No file has more than 2^48 bytes, so that no sum of such numbers is too large.
    fn new(base: u64, offset: u64, len: u64) -> Result<Self, PipelineError> {
        let start = base.checked_add(offset).filter(|&start| start < 1 << 48);
        let span = start.zip(u32::try_from(len).ok());
        let (start, len) = span.ok_or_else(|| malformed("an item lies beyond every file"))?;
        Ok(Self { start, len })
    }

    pub fn end(self) -> u64 {
        self.start + u64::from(self.len)
    }
}

/// Where the bytes of an item lie.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Location {
    method: u16,
    is_external: bool,
    extents: Range<usize>,
}

/// A property of an item.
#[derive(Debug, Clone, Copy)]
pub struct Property<'a> {
    /// Its number, which items that share it share.
    pub index: u16,
    pub name: Name,
    pub payload: &'a [u8],
    /// Whether the item must not be shown by who does not know it.
    pub is_essential: bool,
}

/// What the `meta` box says.
#[derive(Default)]
pub struct Items<'a> {
    pub primary: u32,
    kinds: Vec<(u32, Name)>,
    locations: Vec<(u32, Location)>,
    extents: Vec<Span>,
    properties: Vec<(Name, &'a [u8])>,
    associations: Vec<(u32, Range<usize>)>,
    /// Numbers of properties, the highest bit for essential ones.
    indices: Vec<u16>,
    references: &'a [u8],
    has_wide_references: bool,
    idat: &'a [u8],
    /// Where `idat` begins in the file.
    idat_at: u64,
}

/// Refuses one more of something that a table is full of.
fn check_room(len: usize, max: usize, what: &'static str) -> Result<(), PipelineError> {
    if len >= max {
        let max = max as u64;
        return Err(LimitError::Count { what, max }.into());
    }
    Ok(())
}

fn lookup<T>(table: &[(u32, T)], id: u32) -> Option<&T> {
    let at = table.binary_search_by_key(&id, |(id, _)| *id).ok()?;
    table.get(at).map(|(_, value)| value)
}

impl<'a> Items<'a> {
    /// Reads the payload of a `meta` box, which begins at `meta_at` in the file.
    pub fn read(meta: &'a [u8], meta_at: u64) -> Result<Self, PipelineError> {
        let mut reader = Reader::new(meta);
        reader.version()?;
        let children_at = meta_at + (meta.len() - reader.rest().len()) as u64;
        let mut items = Self::default();
        let mut has_primary = false;
        for child in boxes(reader.rest()) {
            let child = child?;
            has_primary |= &child.name == b"pitm";
            items.take(child, children_at)?;
        }
        if !has_primary {
            return Err(malformed("it does not say which image is to be shown"));
        }
        // `lookup` is a binary search.
        items.kinds.sort_by_key(|(id, _)| *id);
        items.locations.sort_by_key(|(id, _)| *id);
        items.associations.sort_by_key(|(id, _)| *id);
        Ok(items)
    }

    fn take(&mut self, child: Child<'a>, children_at: u64) -> Result<(), PipelineError> {
        let mut reader = Reader::new(child.payload);
        match &child.name {
            b"pitm" => {
                let (version, _) = reader.version()?;
                self.primary = reader.id(version > 0)?;
            }
            b"iinf" => self.read_kinds(child.payload)?,
            b"iloc" => self.read_locations(child.payload)?,
            b"iprp" => self.read_properties(child.payload)?,
            b"iref" => {
                let (version, _) = reader.version()?;
                self.has_wide_references = version > 0;
                self.references = reader.rest();
            }
            b"idat" => {
                self.idat = child.payload;
                self.idat_at = children_at + child.at as u64;
            }
            _ => {}
        }
        Ok(())
    }

    fn read_kinds(&mut self, payload: &[u8]) -> Result<(), PipelineError> {
        let mut reader = Reader::new(payload);
        let (version, _) = reader.version()?;
        reader.id(version > 0)?;
        for child in boxes(reader.rest()) {
            let Child { name, payload, .. } = child?;
            let mut reader = Reader::new(payload);
            let (version, _) = reader.version()?;
            // Earlier versions have no kind.
            if &name != b"infe" || version < 2 {
                continue;
            }
            check_room(self.kinds.len(), MAX_ITEMS, "items")?;
            let id = reader.id(version > 2)?;
            // `item_protection_index`.
            reader.u16()?;
            self.kinds.push((id, reader.array()?));
        }
        Ok(())
    }

    fn read_locations(&mut self, payload: &[u8]) -> Result<(), PipelineError> {
        let mut reader = Reader::new(payload);
        let (version, _) = reader.version()?;
        // Four lengths of half a byte (ISO/IEC 14496-12, section 8.11.3).
        let [offset_len, base_len] = reader.array()?;
        let (offset_bytes, len_bytes) = (offset_len >> 4, offset_len & 15);
        let index_bytes = if version > 0 { base_len & 15 } else { 0 };
        let count = reader.id(version > 1)?;
        for _ in 0..count {
            check_room(self.locations.len(), MAX_ITEMS, "items")?;
            let id = reader.id(version > 1)?;
            let method = if version > 0 { reader.u16()? & 15 } else { 0 };
            // 0 is this file.
            let is_external = reader.u16()? != 0;
            let base = reader.number(base_len >> 4)?;
            let first = self.extents.len();
            for _ in 0..reader.u16()? {
                check_room(self.extents.len(), MAX_EXTENTS, "pieces of items")?;
                reader.number(index_bytes)?;
                let (offset, len) = (reader.number(offset_bytes)?, reader.number(len_bytes)?);
                self.extents.push(Span::new(base, offset, len)?);
            }
            let location = Location {
                method,
                is_external,
                extents: first..self.extents.len(),
            };
            self.locations.push((id, location));
        }
        Ok(())
    }

    fn read_properties(&mut self, payload: &'a [u8]) -> Result<(), PipelineError> {
        for child in boxes(payload) {
            let Child { name, payload, .. } = child?;
            match &name {
                b"ipco" => {
                    for property in boxes(payload) {
                        check_room(self.properties.len(), MAX_PROPERTIES, "properties")?;
                        let Child { name, payload, .. } = property?;
                        self.properties.push((name, payload));
                    }
                }
                b"ipma" => self.read_associations(payload)?,
                _ => {}
            }
        }
        Ok(())
    }

    fn read_associations(&mut self, payload: &[u8]) -> Result<(), PipelineError> {
        let mut reader = Reader::new(payload);
        let (version, flags) = reader.version()?;
        for _ in 0..reader.u32()? {
            check_room(self.associations.len(), MAX_ITEMS, "items")?;
            let id = reader.id(version > 0)?;
            let first = self.indices.len();
            for _ in 0..reader.u8()? {
                check_room(self.indices.len(), MAX_ASSOCIATIONS, "properties of items")?;
                let index = if flags & 1 == 0 {
                    // Moves the flag for essential ones up to where 15 bits leave it.
                    let index = u16::from(reader.u8()?);
                    (index & 0x80) << 8 | (index & 0x7f)
                } else {
                    reader.u16()?
                };
                self.indices.push(index);
            }
            self.associations.push((id, first..self.indices.len()));
        }
        Ok(())
    }

    /// The kind of an item.
    pub fn kind(&self, id: u32) -> Result<Name, PipelineError> {
        lookup(&self.kinds, id)
            .copied()
            .ok_or_else(|| malformed(format!("it has no item {id}")))
    }

    /// The properties of an item, in the order in which they count.
    pub fn properties(&self, id: u32) -> impl Iterator<Item = Property<'a>> {
        let range = lookup(&self.associations, id).cloned().unwrap_or_default();
        let indices = self.indices.get(range).unwrap_or_default();
        indices.iter().filter_map(|&word| {
            let index = word & 0x7fff;
            // Numbered from 1; 0 is none.
            let place = usize::from(index).checked_sub(1)?;
            let &(name, payload) = self.properties.get(place)?;
            Some(Property {
                index,
                name,
                payload,
                is_essential: word & 0x8000 != 0,
            })
        })
    }

    /// The first property of an item that has this name.
    pub fn property(&self, id: u32, name: Name) -> Option<Property<'a>> {
        self.properties(id).find(|property| property.name == name)
    }

    /// Where an item lies in the file.
    pub fn spans(&self, id: u32) -> Result<Vec<Span>, PipelineError> {
        let location = lookup(&self.locations, id).filter(|location| !location.is_external);
        let location =
            location.ok_or_else(|| malformed(format!("item {id} does not lie in the file")))?;
        let base = match location.method {
            0 => 0,
            1 => self.idat_at,
            _ => {
                let feature = format!("item {id} made of pieces of other items");
                return Err(PipelineError::unsupported(ImageFormat::Heic, feature));
            }
        };
        let spans = self.extents[location.extents.clone()].iter();
        let spans: Vec<Span> = spans
            .map(|span| Span {
                // Both are below 2^48.
                start: base + span.start,
                ..*span
            })
            .collect();
        if spans.is_empty() || spans.iter().any(|span| span.len == 0) {
            return Err(malformed(format!("item {id} has no length")));
        }
        Ok(spans)
    }

    /// The bytes of an item that lies within the description itself.
    pub fn inline(&self, id: u32) -> Option<&'a [u8]> {
        let location = lookup(&self.locations, id).filter(|location| location.method == 1)?;
        let [span] = self.extents.get(location.extents.clone())? else {
            return None;
        };
        let start = usize::try_from(span.start).ok()?;
        let rest = self.idat.get(start..)?;
        // The rest of the data (ISO/IEC 14496-12, section 8.11.3).
        if span.len == 0 {
            return Some(rest);
        }
        rest.get(..usize::try_from(span.len).ok()?)
    }

    /// Calls `take` with each reference of a kind: who refers, and to which items.
    fn each_reference(
        &self,
        kind: Name,
        mut take: impl FnMut(u32, &[u32]),
    ) -> Result<(), PipelineError> {
        for child in boxes(self.references) {
            let Child { name, payload, .. } = child?;
            if name != kind {
                continue;
            }
            let mut reader = Reader::new(payload);
            let from = reader.id(self.has_wide_references)?;
            let count = usize::from(reader.u16()?);
            check_room(count, MAX_ITEMS, "references of an item")?;
            let ids = (0..count).map(|_| reader.id(self.has_wide_references));
            take(from, &ids.collect::<Result<Vec<_>, _>>()?);
        }
        Ok(())
    }

    /// The items that `from` is made of, in their order.
    pub fn parts(&self, from: u32) -> Result<Vec<u32>, PipelineError> {
        let mut parts = Vec::new();
        self.each_reference(*b"dimg", |id, to| {
            if id == from && parts.is_empty() {
                parts.extend_from_slice(to);
            }
        })?;
        Ok(parts)
    }

    /// The items that refer to one of `to` by a reference of this kind, with what they refer to.
    pub fn referrers(&self, kind: Name, to: &[u32]) -> Result<Vec<(u32, u32)>, PipelineError> {
        let mut wanted = to.to_vec();
        wanted.sort_unstable();
        let mut found = Vec::new();
        self.each_reference(kind, |from, ids| {
            let hits = ids.iter().filter(|id| wanted.binary_search(id).is_ok());
            let room = MAX_ITEMS - found.len();
            found.extend(hits.map(|&to| (from, to)).take(room));
        })?;
        Ok(found)
    }
}
