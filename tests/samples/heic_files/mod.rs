//! Puts coded images into HEIC files of every shape, good ones and others.

/// An image as HEVC.
#[derive(Clone)]
pub struct Coded {
    /// The payload of its `hvcC` box.
    pub config: Vec<u8>,
    pub data: Vec<u8>,
}

impl Coded {
    /// The image of a file that has no other one.
    pub fn of(file: &[u8]) -> Self {
        Self {
            config: find(file, "hvcC").to_vec(),
            data: find(file, "mdat").to_vec(),
        }
    }
}

/// The payload of the first box of this name, which nothing before it looks like.
pub fn find<'a>(file: &'a [u8], name: &str) -> &'a [u8] {
    let at = file.windows(4).position(|bytes| bytes == name.as_bytes());
    let at = at.expect("the file has the box");
    let len = u32::from_be_bytes(file[at - 4..at].try_into().unwrap()) as usize;
    &file[at + 4..at - 4 + len]
}

/// A box.
pub fn boxed(name: &str, payload: &[u8]) -> Vec<u8> {
    let len = u32::try_from(payload.len() + 8).unwrap();
    [&len.to_be_bytes(), name.as_bytes(), payload].concat()
}

/// A box with a version and without flags.
pub fn full(name: &str, version: u8, payload: &[u8]) -> Vec<u8> {
    boxed(name, &[&[version, 0, 0, 0], payload].concat())
}

/// A box that says the size of an image.
pub fn ispe(width: u32, height: u32) -> Vec<u8> {
    full(
        "ispe",
        0,
        &[width.to_be_bytes(), height.to_be_bytes()].concat(),
    )
}

/// A box that cuts an image.
pub fn clap(numbers: [i32; 8]) -> Vec<u8> {
    boxed("clap", &numbers.map(i32::to_be_bytes).concat())
}

/// Where the bytes of an item lie.
#[derive(Clone, Copy, PartialEq)]
pub enum Place {
    /// In the box for data behind the description.
    File,
    /// Within the description.
    Idat,
    /// In the box for data, in two pieces with something between them.
    Pieces,
}

/// An item of a file.
#[derive(Clone)]
pub struct Item {
    pub id: u16,
    pub kind: [u8; 4],
    pub data: Vec<u8>,
    pub place: Place,
    /// Its properties; equal ones are stored once.
    pub properties: Vec<Vec<u8>>,
}

impl Item {
    /// A coded image.
    pub fn coded(id: u16, coded: &Coded, (width, height): (u32, u32)) -> Self {
        Self {
            id,
            kind: *b"hvc1",
            data: coded.data.clone(),
            place: Place::File,
            properties: vec![boxed("hvcC", &coded.config), ispe(width, height)],
        }
    }

    /// A grid, whose own description lies within the file's.
    pub fn grid(id: u16, (columns, rows): (u8, u8), (width, height): (u16, u16)) -> Self {
        let size = [width.to_be_bytes(), height.to_be_bytes()].concat();
        Self {
            id,
            kind: *b"grid",
            data: [&[0, 0, rows - 1, columns - 1], &size[..]].concat(),
            place: Place::Idat,
            properties: vec![ispe(width.into(), height.into())],
        }
    }
}

/// What a file consists of.
#[derive(Clone)]
pub struct File {
    pub primary: u16,
    pub items: Vec<Item>,
    /// Kind, who refers, and to which items.
    pub references: Vec<(&'static str, u16, Vec<u16>)>,
    /// Whether the data stand in the other order than the items.
    pub is_reversed: bool,
}

/// The brands of a file.
const HEIC: &[u8] = b"heic\0\0\0\0mif1heic";

/// The id of the grids that [`File::grid`] makes.
pub const GRID: u16 = 60_000;

impl File {
    /// A file of one image.
    pub fn single(coded: &Coded, size: (u32, u32)) -> Self {
        Self {
            primary: 1,
            items: vec![Item::coded(1, coded, size)],
            references: Vec::new(),
            is_reversed: false,
        }
    }

    /// A grid of tiles of one size.
    pub fn grid(coded: &[Coded], tile: (u32, u32), columns: u8, size: (u16, u16)) -> Self {
        let ids = (1..).take(coded.len());
        let mut items: Vec<Item> = (ids.clone().zip(coded))
            .map(|(id, coded)| Item::coded(id, coded, tile))
            .collect();
        let rows = u8::try_from(coded.len() / usize::from(columns)).unwrap();
        items.push(Item::grid(GRID, (columns, rows), size));
        Self {
            primary: GRID,
            items,
            references: vec![("dimg", GRID, ids.collect())],
            is_reversed: false,
        }
    }

    /// The primary item.
    pub fn primary(&mut self) -> &mut Item {
        let primary = self.primary;
        let item = self.items.iter_mut().find(|item| item.id == primary);
        item.expect("there is one")
    }

    /// The bytes.
    pub fn bytes(&self) -> Vec<u8> {
        self.parts().concat()
    }

    /// The bytes with the data in front of their description.
    pub fn bytes_data_first(&self) -> Vec<u8> {
        let head = boxed("ftyp", HEIC);
        let (mdat, idat, places) = self.data();
        let at = u32::try_from(head.len() + 8).unwrap();
        let meta = self.meta(&idat, &places, at);
        [head, boxed("mdat", &mdat), meta].concat()
    }

    fn parts(&self) -> [Vec<u8>; 3] {
        let head = boxed("ftyp", HEIC);
        let (mdat, idat, places) = self.data();
        // The length of the description does not depend on the numbers in it.
        let len = self.meta(&idat, &places, 0).len() + head.len() + 8;
        let meta = self.meta(&idat, &places, u32::try_from(len).unwrap());
        [head, meta, boxed("mdat", &mdat)]
    }

    /// The data of all items, and for each item its pieces.
    fn data(&self) -> (Vec<u8>, Vec<u8>, Vec<Vec<[u32; 2]>>) {
        let (mut mdat, mut idat) = (Vec::new(), Vec::new());
        let mut places = vec![Vec::new(); self.items.len()];
        let mut order: Vec<usize> = (0..self.items.len()).collect();
        if self.is_reversed {
            order.reverse();
        }
        for index in order {
            let Item { data, place, .. } = &self.items[index];
            let (into, pieces) = match place {
                Place::File => (&mut mdat, vec![&data[..]]),
                Place::Idat => (&mut idat, vec![&data[..]]),
                Place::Pieces => {
                    let (a, b) = data.split_at(data.len() / 3);
                    (&mut mdat, vec![a, b])
                }
            };
            for piece in pieces {
                places[index].push([into.len(), piece.len()].map(|n| u32::try_from(n).unwrap()));
                into.extend_from_slice(piece);
                into.extend_from_slice(b"gap");
            }
        }
        (mdat, idat, places)
    }

    fn meta(&self, idat: &[u8], places: &[Vec<[u32; 2]>], mdat_at: u32) -> Vec<u8> {
        let count = u16::try_from(self.items.len()).unwrap().to_be_bytes();
        let mut kinds = count.to_vec();
        let mut locations = [&[0x44, 0][..], &count].concat();
        for (item, pieces) in self.items.iter().zip(places) {
            let id = item.id.to_be_bytes();
            kinds.extend(full(
                "infe",
                2,
                &[&id[..], &[0, 0], &item.kind, &[0]].concat(),
            ));
            let (method, base) = match item.place {
                Place::Idat => (1, 0),
                Place::File | Place::Pieces => (0, mdat_at),
            };
            locations.extend([&id[..], &[0, method, 0, 0]].concat());
            locations.extend(u16::try_from(pieces.len()).unwrap().to_be_bytes());
            for [start, len] in pieces {
                locations.extend((base + start).to_be_bytes());
                locations.extend(len.to_be_bytes());
            }
        }
        let mut references = Vec::new();
        for (kind, from, to) in &self.references {
            let count = u16::try_from(to.len()).unwrap();
            let ids = [*from, count].into_iter().chain(to.iter().copied());
            references.extend(boxed(
                kind,
                &ids.flat_map(u16::to_be_bytes).collect::<Vec<_>>(),
            ));
        }
        let children = [
            full("hdlr", 0, b"\0\0\0\0pict\0\0\0\0\0\0\0\0\0\0\0\0\0"),
            full("pitm", 0, &self.primary.to_be_bytes()),
            full("iinf", 0, &kinds),
            full("iloc", 1, &locations),
            full("iref", 0, &references),
            self.properties(),
            boxed("idat", idat),
        ];
        full("meta", 0, &children.concat())
    }

    fn properties(&self) -> Vec<u8> {
        let mut stored: Vec<&[u8]> = Vec::new();
        let count = u32::try_from(self.items.len()).unwrap();
        let mut associations = count.to_be_bytes().to_vec();
        for item in &self.items {
            associations.extend(item.id.to_be_bytes());
            associations.push(u8::try_from(item.properties.len()).unwrap());
            for property in &item.properties {
                let known = stored.iter().position(|known| known == property);
                let index = known.unwrap_or(stored.len());
                if known.is_none() {
                    stored.push(property);
                }
                associations.push(u8::try_from(index + 1).unwrap());
            }
        }
        let children = [
            boxed("ipco", &stored.concat()),
            full("ipma", 0, &associations),
        ];
        boxed("iprp", &children.concat())
    }
}
