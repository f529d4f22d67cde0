//! HEIC on whole files: what comes out, in which memory, and what is refused.

use crate::common::{run, with_flipped_bits};
use crate::samples::heic_files::{Coded, File, Item, Place, boxed, clap, full};
use image::RgbaImage;
use thumbnail_pipeline::decode::heic::{HeicDecoder, HeicHeader, read_header};
use thumbnail_pipeline::decode::webp::LoopFilter;
use thumbnail_pipeline::decode::{Completeness, HeaderStatus};
use thumbnail_pipeline::options::{FormatChoice, Truncated};
use thumbnail_pipeline::{
    LimitError, Limits, Options, OutputFormat, PipelineError, Rendered, Variant, render,
};

fn read(name: &str) -> Vec<u8> {
    let path = format!("{}/tests/images/{name}", env!("CARGO_MANIFEST_DIR"));
    std::fs::read(&path).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn coded(name: &str) -> Coded {
    Coded::of(&read(&format!("heic/{name}.heic")))
}

fn header(file: &[u8]) -> Result<HeicHeader, PipelineError> {
    match read_header(file)? {
        HeaderStatus::Ready(header) => Ok(header),
        HeaderStatus::NeedMore => panic!("the description is not complete"),
    }
}

/// The samples of all planes.
fn decode(file: &[u8], chunk: usize) -> Result<(Vec<Vec<u16>>, Completeness), PipelineError> {
    let mut decoder = HeicDecoder::new(&header(file)?, LoopFilter::Exact);
    let (picture, completeness) = run(&mut decoder, file, chunk)?;
    let planes = 0..picture.planes.len();
    Ok((
        planes.map(|plane| picture.samples(plane)).collect(),
        completeness,
    ))
}

fn rendered(file: &[u8], options: Options) -> Result<Rendered, PipelineError> {
    let name = "thumbnail".into();
    render(file, &[Variant { name, options }], &Limits::default())
}

/// The image in its own size.
fn shown(file: &[u8]) -> RgbaImage {
    let size = header(file).expect("a header");
    let turned = rendered(file, Options::default()).expect("renders").source;
    assert_eq!(
        u64::from(size.width) * u64::from(size.height),
        turned.pixels()
    );
    let options = Options {
        width: Some(turned.width()),
        height: Some(turned.height()),
        format: FormatChoice::Png,
        ..Options::default()
    };
    let rendered = rendered(file, options).expect("renders");
    decoded(&rendered.thumbnails[0].encoded.bytes)
}

fn decoded(file: &[u8]) -> RgbaImage {
    image::load_from_memory(file).expect("decodes").to_rgba8()
}

fn psnr(a: &RgbaImage, b: &RgbaImage) -> f64 {
    assert_eq!(a.dimensions(), b.dimensions());
    let pairs = a.as_raw().iter().zip(b.as_raw());
    let error: f64 = pairs
        .map(|(&a, &b)| (f64::from(a) - f64::from(b)).powi(2))
        .sum();
    #[expect(clippy::cast_precision_loss, reason = "a small image")]
    let mean = error / a.as_raw().len() as f64;
    10.0 * (255.0_f64.powi(2) / mean.max(1e-9)).log10()
}

fn resized(name: &str, (width, height): (u32, u32)) -> RgbaImage {
    let filter = image::imageops::FilterType::CatmullRom;
    image::imageops::resize(&decoded(&read(name)), width, height, filter)
}

fn count(error: &PipelineError) -> &'static str {
    match error {
        PipelineError::Limit(LimitError::Count { what, .. }) => what,
        error => panic!("{error}"),
    }
}

fn tiles() -> Vec<Coded> {
    (0..4).map(|n| coded(&format!("tile-{n}"))).collect()
}

fn grid() -> File {
    File::grid(&tiles(), (64, 64), 2, (101, 75))
}

#[test]
fn pixels_are_those_of_another_decoder() {
    let want = decoded(&read("heic/chroma-444.png"));
    let got = shown(&read("heic/chroma-444.heic"));
    let pairs = want.as_raw().iter().zip(got.as_raw());
    let most = pairs.map(|(a, b)| a.abs_diff(*b)).max();
    assert!(most <= Some(1), "{most:?}");
}

#[test]
fn pictures_of_every_sampling_and_depth_look_like_their_source() {
    for (name, source, size, least) in [
        ("photo", "images/photo.jpg", (160, 120), 30.0),
        ("chroma-444", "images/photo.jpg", (64, 48), 29.0),
        ("chroma-422", "images/photo.jpg", (64, 48), 29.0),
        ("odd", "images/photo.jpg", (61, 47), 29.0),
        ("ten-bit", "golden/sources/rgb16.png", (60, 45), 30.0),
    ] {
        let file = read(&format!("heic/{name}.heic"));
        let want = resized(&format!("../{source}"), size);
        let psnr = psnr(&shown(&file), &want);
        assert!(psnr > least, "{name}: {psnr} dB");
    }
}

#[test]
fn alpha_is_that_of_the_auxiliary_picture() {
    let file = read("heic/alpha.heic");
    let rendered = rendered(&file, Options::default()).expect("renders");
    let format = rendered.thumbnails[0].encoded.format;
    assert_eq!(format, OutputFormat::Jpeg, "as the format alone says");
    let over_gray = |mut picture: RgbaImage| {
        for pixel in picture.pixels_mut() {
            let [.., alpha] = pixel.0;
            pixel.0 = pixel.0.map(|sample| {
                let sum = u32::from(sample) * u32::from(alpha) + 128 * u32::from(255 - alpha);
                u8::try_from(sum / 255).unwrap()
            });
            pixel.0[3] = alpha;
        }
        picture
    };
    let want = over_gray(resized("../golden/sources/disc-alpha.png", (64, 48)));
    let psnr = psnr(&over_gray(shown(&file)), &want);
    assert!(psnr > 30.0, "{psnr} dB");
}

#[test]
fn premultiplied_colors_are_divided_by_their_alpha() {
    let color = coded("quadrants");
    let alpha = coded("gray");
    // The gray image is larger: both are cut to one size.
    let size = (48, 32);
    let mut file = File::single(&color, size);
    let mut item = Item::coded(2, &alpha, size);
    let name = full("auxC", 0, b"urn:mpeg:hevc:2015:auxid:1\0");
    item.properties.push(name);
    file.items.push(item);
    file.references.push(("auxl", 2, vec![1]));
    let straight = shown(&file.bytes());
    file.references.push(("prem", 1, vec![2]));
    let premultiplied = shown(&file.bytes());
    for (straight, divided) in straight.pixels().zip(premultiplied.pixels()) {
        let ([r, .., a], [divided, .., same]) = (straight.0, divided.0);
        assert_eq!(a, same);
        let want = u32::from(r) * 255 / u32::from(a.max(1));
        assert!(
            want.min(255).abs_diff(divided.into()) <= 3,
            "{r} {a} {divided}"
        );
    }
}

#[test]
fn colors_come_out_of_the_profile() {
    let file = read("heic/display-p3.heic");
    let want = shown_png("../golden/sources/ramp-DisplayP3-v4.png", (256, 64));
    let tagged = psnr(&shown(&file), &want);
    let mut file = File::single(&Coded::of(&file), (256, 64));
    let untagged = psnr(&shown(&file.bytes()), &want);
    // Display P3 by code points, with the curve of sRGB.
    let nclx = b"nclx\0\x0c\0\x0d\0\x06\x80";
    file.primary().properties.push(boxed("colr", nclx));
    let points = psnr(&shown(&file.bytes()), &want);
    assert!(
        tagged.min(points) > untagged + 4.0,
        "{tagged}, {points} and {untagged} dB"
    );
}

fn shown_png(name: &str, (width, height): (u32, u32)) -> RgbaImage {
    let options = Options {
        width: Some(width),
        height: Some(height),
        ..Options::default()
    };
    let rendered = rendered(&read(name), options).expect("renders");
    decoded(&rendered.thumbnails[0].encoded.bytes)
}

#[test]
fn code_points_say_the_range_and_the_matrix() {
    let coded = coded("photo");
    let with = |matrix: u8, range: u8| {
        let mut file = File::single(&coded, (160, 120));
        let nclx = [b"nclx\0\x01\0\x0d\0", &[matrix, range][..]].concat();
        file.primary().properties.push(boxed("colr", &nclx));
        file.bytes()
    };
    let usual = shown(&with(6, 0x80));
    // A limited range stretches the contrast, another matrix turns the colors a little.
    assert!(psnr(&usual, &shown(&with(6, 0))) < 30.0);
    let turned = psnr(&usual, &shown(&with(1, 0x80)));
    assert!(turned > 25.0 && turned < 45.0, "{turned} dB");
    let error = rendered(&with(8, 0x80), Options::default()).unwrap_err();
    assert!(
        error.to_string().contains("matrix coefficients 8"),
        "{error}"
    );
}

#[test]
fn a_grid_is_put_together_and_cut() {
    let file = grid().bytes();
    let want = resized("photo.jpg", (101, 75));
    let psnr = psnr(&shown(&file), &want);
    assert!(psnr > 28.0, "{psnr} dB");
    // Without its own description where it can be read at once, the sizes say the same.
    let mut other = grid();
    other.primary().place = Place::File;
    assert_eq!(shown(&other.bytes()), shown(&file));
}

/// The upper left pixel of each quadrant's middle.
fn corners(picture: &RgbaImage) -> [[u8; 4]; 4] {
    let (w, h) = picture.dimensions();
    let middles = [(1, 1), (3, 1), (1, 3), (3, 3)];
    middles.map(|(x, y)| picture.get_pixel(w * x / 4, h * y / 4).0)
}

#[test]
fn turns_and_flips_are_those_of_the_properties() {
    let coded = coded("quadrants");
    let stored = corners(&shown(&File::single(&coded, (48, 32)).bytes()));
    // A turn is against the clock; axis 0 exchanges top and bottom.
    let cases = [
        (vec![("irot", 0)], [0, 1, 2, 3]),
        (vec![("irot", 1)], [1, 3, 0, 2]),
        (vec![("irot", 2)], [3, 2, 1, 0]),
        (vec![("irot", 3)], [2, 0, 3, 1]),
        (vec![("imir", 0)], [2, 3, 0, 1]),
        (vec![("imir", 1)], [1, 0, 3, 2]),
        (vec![("irot", 1), ("imir", 0)], [0, 2, 1, 3]),
        (vec![("imir", 0), ("irot", 1)], [3, 1, 2, 0]),
        (vec![("irot", 3), ("imir", 0)], [3, 1, 2, 0]),
    ];
    for (properties, want) in cases {
        let mut file = File::single(&coded, (48, 32));
        for (name, value) in &properties {
            file.primary().properties.push(boxed(name, &[*value]));
        }
        let picture = shown(&file.bytes());
        assert_eq!(
            picture.width() > picture.height(),
            want[0] + want[1] != 2 && want[0] + want[1] != 4
        );
        for (got, want) in corners(&picture).into_iter().zip(want) {
            let is_near = got.iter().zip(stored[want]).all(|(a, b)| a.abs_diff(b) < 8);
            assert!(is_near, "{properties:?}: {got:?} is not {:?}", stored[want]);
        }
    }
}

#[test]
fn an_orientation_in_exif_does_not_count() {
    let mut file = File::single(&coded("quadrants"), (48, 32));
    let upright = shown(&file.bytes());
    let tag = b"\0\0\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0";
    file.items.push(Item {
        id: 2,
        kind: *b"Exif",
        data: tag.to_vec(),
        place: Place::File,
        properties: Vec::new(),
    });
    file.references.push(("cdsc", 2, vec![1]));
    assert_eq!(shown(&file.bytes()), upright);
}

#[test]
fn a_cut_leaves_a_part() {
    let mut file = File::single(&coded("photo"), (160, 120));
    let whole = shown(&file.bytes());
    // 41x31 from 20, 10: the middle lies -39.5 and -34.5 from that of the image.
    file.primary()
        .properties
        .push(clap([41, 1, 31, 1, -79, 2, -69, 2]));
    let want = image::imageops::crop_imm(&whole, 20, 10, 41, 31).to_image();
    // Chroma is interpolated a little otherwise at the edges.
    let psnr = psnr(&shown(&file.bytes()), &want);
    assert!(psnr > 38.0, "{psnr} dB");
    for (numbers, text) in [
        ([41, 1, 31, 1, -81, 2, -69, 2], "chroma"),
        ([41, 2, 31, 1, -79, 2, -69, 2], "whole pixels"),
        ([161, 1, 31, 1, 0, 2, -69, 2], "within it"),
    ] {
        *file.primary().properties.last_mut().unwrap() = clap(numbers);
        let error = header(&file.bytes()).unwrap_err().to_string();
        assert!(error.contains(text), "{error}");
    }
}

#[test]
fn chunks_of_any_size_and_places_of_any_kind_give_the_same() {
    let file = grid().bytes();
    let want = decode(&file, usize::MAX).expect("decodes");
    assert_eq!(want.1, Completeness::Whole);
    for chunk in [1, 7, 1000, 4096] {
        assert_eq!(decode(&file, chunk), Ok(want.clone()), "by {chunk}");
    }
    let mut reversed = grid();
    reversed.is_reversed = true;
    assert_eq!(decode(&reversed.bytes(), 7), Ok(want.clone()), "reversed");
    let late = grid().bytes_data_first();
    assert_eq!(decode(&late, 7), Ok(want.clone()), "described behind");
    for place in [Place::Idat, Place::Pieces] {
        let mut file = grid();
        for item in &mut file.items {
            item.place = place;
        }
        assert_eq!(decode(&file.bytes(), 7), Ok(want.clone()));
    }
}

#[test]
fn data_may_come_before_their_description_if_they_can_be_held() {
    let late = grid().bytes_data_first();
    let status = read_header(&late[..late.len() - 1]);
    assert_eq!(status, Ok(HeaderStatus::NeedMore));
    // What could not be held is refused at its first bytes.
    let data = [&(20_u32 << 20).to_be_bytes()[..], b"mdat"].concat();
    let file = [boxed("ftyp", b"heic\0\0\0\0mif1heic"), data].concat();
    let what = count(&read_header(&file).unwrap_err());
    assert_eq!(what, "bytes of data before their description");
}

#[test]
fn tiles_that_come_too_early_are_held_within_the_limit() {
    let held = |file: &File| header(&file.bytes()).unwrap().peak_bytes(LoopFilter::Skip);
    let mut file = File::grid(&vec![coded("photo"); 24], (160, 120), 4, (640, 720));
    let in_order = held(&file);
    file.is_reversed = true;
    let reversed = held(&file);
    let tile = coded("photo").data.len() as u64;
    assert_eq!(reversed - in_order, 23 * tile, "all but the last one");
    let limits = Limits {
        max_memory_bytes: reversed - 1,
        ..Limits::default()
    };
    let name = "thumbnail".into();
    let options = Options::default();
    let error = render(&file.bytes(), &[Variant { name, options }], &limits).unwrap_err();
    let PipelineError::Limit(LimitError::Memory { need_bytes, .. }) = error else {
        panic!("{error}");
    };
    assert_eq!(need_bytes, reversed);
}

#[test]
fn a_cut_file_gives_the_tiles_that_are_there() {
    let file = grid().bytes();
    let (whole, _) = decode(&file, 1000).expect("decodes");
    let mdat = file.windows(4).position(|bytes| bytes == b"mdat").unwrap() + 4;
    let mut seen = [0; 3];
    for len in (0..file.len()).step_by(13).chain([file.len()]) {
        let cut = &file[..len];
        match read_header(cut) {
            Ok(HeaderStatus::NeedMore) => assert!(len < mdat, "{len}"),
            Err(error) => assert!(
                matches!(error, PipelineError::Unsupported { .. }),
                "{error}"
            ),
            Ok(HeaderStatus::Ready(_)) => match decode(cut, 1000) {
                Err(error) => {
                    seen[0] += 1;
                    assert!(matches!(error, PipelineError::Truncated { .. }), "{error}");
                }
                Ok((planes, Completeness::Truncated)) => {
                    seen[1] += 1;
                    assert_eq!(planes[0][..64], whole[0][..64]);
                    assert_eq!(planes[0].last(), Some(&128), "gray");
                }
                Ok((planes, Completeness::Whole)) => {
                    seen[2] += 1;
                    assert_eq!(planes, whole);
                }
            },
        }
    }
    // Before the first tile is there, between it and the last one, and behind that.
    assert!(seen[0] > 10 && seen[1] > 10 && seen[2] == 1, "{seen:?}");
    let refuse = Options {
        truncated: Truncated::Refuse,
        ..Options::default()
    };
    let error = rendered(&file[..file.len() - 100], refuse).unwrap_err();
    assert!(matches!(error, PipelineError::Truncated { .. }), "{error}");
}

#[test]
fn flipped_bits_never_panic() {
    let names = [
        "photo",
        "chroma-444",
        "chroma-422",
        "odd",
        "gray",
        "alpha",
        "ten-bit",
    ];
    let mut files: Vec<_> = (names.iter())
        .map(|name| read(&format!("heic/{name}.heic")))
        .collect();
    files.push(grid().bytes());
    let (mut errors, mut pictures) = (0, 0);
    for file in files {
        with_flipped_bits(&file, 300, |damaged| {
            match read_header(damaged) {
                Ok(HeaderStatus::Ready(header))
                    if header.peak_bytes(LoopFilter::Exact) < 1 << 24 => {}
                _ => return errors += 1,
            }
            match decode(damaged, 1000) {
                Ok(_) => pictures += 1,
                Err(PipelineError::Bug(text)) => panic!("{text}"),
                Err(_) => errors += 1,
            }
        });
    }
    assert!(errors > 100 && pictures > 100, "{errors} and {pictures}");
}

#[test]
fn what_is_not_decoded_is_named() {
    let single = || File::single(&coded("photo"), (160, 120));
    let mut kinds = single();
    kinds.primary().kind = *b"iovl";
    let mut avif = single();
    avif.primary().kind = *b"av01";
    let mut essential = single();
    essential.primary().properties.push(boxed("what", &[]));
    let mut turned = grid();
    turned.items[1].properties.push(boxed("irot", &[1]));
    let mut nested = grid();
    nested.items[2].kind = *b"grid";
    let mut few = grid();
    few.references[0].2.pop();
    let mut small = grid();
    small.primary().data[5] = 200;
    let mut mixed = grid();
    mixed.items[3] = Item::coded(4, &coded("photo"), (64, 64));
    let mut alpha = grid();
    let mut item = Item::coded(5, &coded("gray"), (64, 64));
    let name = full("auxC", 0, b"urn:mpeg:mpegB:cicp:systems:auxiliary:alpha\0");
    item.properties.push(name);
    alpha.items.push(item);
    alpha.references.push(("auxl", 5, vec![2]));
    for (file, text) in [
        (kinds, "kind iovl"),
        (avif, "AVIF is not supported"),
        (turned, "turned or cut tiles"),
        (nested, "kind grid"),
        (few, "has 3 tiles"),
        (small, "do not cover"),
        (mixed, "different shapes"),
        (alpha, "alpha of single tiles"),
    ] {
        let error = header(&file.bytes()).unwrap_err().to_string();
        assert!(error.contains(text), "{error} is not {text}");
    }
    // Properties that we do not know matter where they are marked as essential.
    let mut file = essential.bytes();
    assert!(header(&file).is_ok());
    let idat = file.windows(4).position(|bytes| bytes == b"idat").unwrap();
    file[idat - 5] |= 0x80;
    let error = header(&file).unwrap_err().to_string();
    assert!(error.contains("the property what"), "{error}");
}

#[test]
fn tables_that_blow_up_are_refused_before_they_do() {
    // 65,535 pieces of no bytes, in numbers of no bytes, for each of 16,000 items.
    let item = [0, 1, 0, 0, 0, 0, 0xff, 0xff];
    let locations = [&[0, 0, 0x3e, 0x80][..], &item.repeat(16_000)].concat();
    let kinds = |count: u16| {
        let item = full("infe", 2, b"\0\x01\0\0hvc1\0");
        [&count.to_be_bytes()[..], &item.repeat(count.into())].concat()
    };
    let meta = |children: &[Vec<u8>]| {
        let pitm = full("pitm", 0, &[0, 1]);
        let children = [&pitm[..], &children.concat()].concat();
        [
            boxed("ftyp", b"heic\0\0\0\0mif1heic"),
            full("meta", 0, &children),
        ]
        .concat()
    };
    let properties = |count| boxed("iprp", &boxed("ipco", &boxed("free", &[]).repeat(count)));
    for (file, what) in [
        (meta(&[full("iloc", 1, &locations)]), "pieces of items"),
        (meta(&[full("iinf", 0, &kinds(20_000))]), "items"),
        (meta(&[properties(33_000)]), "properties"),
        (
            meta(&[boxed("free", &vec![0; 4 << 20])]),
            "bytes before the image",
        ),
        (
            [
                boxed("ftyp", b"heic\0\0\0\0"),
                boxed("free", &[]).repeat(70),
            ]
            .concat(),
            "boxes before the image",
        ),
    ] {
        assert_eq!(count(&read_header(&file).unwrap_err()), what);
    }
}

#[test]
fn parameter_sets_are_few_and_small() {
    let with = |config: Vec<u8>| {
        let Coded { data, .. } = coded("photo");
        header(&File::single(&Coded { config, data }, (160, 120)).bytes()).unwrap_err()
    };
    let start = &coded("photo").config[..22];
    // Arrays of units: their kind, how many there are, and the length of each.
    let long = [start, &[1, 33, 0, 1, 0x40, 0], &[0; 1 << 14]].concat();
    assert_eq!(count(&with(long)), "bytes of parameter sets");
    let many = [start, &[1, 33, 0, 100], &[0; 200]].concat();
    assert_eq!(count(&with(many)), "parameter sets");
    let none = [start, &[0]].concat();
    let error = with(none).to_string();
    assert!(error.contains("outside of its hvcC box"), "{error}");
}

#[test]
fn tiles_that_share_their_bytes_are_refused() {
    let mut file = File::grid(&vec![coded("photo"); 100], (160, 120), 10, (1600, 1200));
    assert!(header(&file.bytes()).is_ok());
    file.references[0].2 = vec![1; 100];
    let error = header(&file.bytes()).unwrap_err().to_string();
    assert!(error.contains("overlap"), "{error}");
}

#[test]
fn a_picture_is_decoded_once_however_often_its_slices_stand_there() {
    let mut coded = coded("photo");
    let (want, _) = decode(&File::single(&coded, (160, 120)).bytes(), 1000).expect("decodes");
    let first = coded.data.clone();
    coded.data = first.repeat(200);
    let again = File::single(&coded, (160, 120)).bytes();
    assert_eq!(decode(&again, 1000), Ok((want, Completeness::Whole)));
    // Slices that are not the first of an image, but begin where the first did.
    let mut slice = first.clone();
    let start = 4 + 2;
    slice[start] &= 0x7f;
    coded.data = [first, slice.repeat(50)].concat();
    let (_, completeness) =
        decode(&File::single(&coded, (160, 120)).bytes(), 1000).expect("decodes");
    assert_eq!(completeness, Completeness::Truncated);
}
