//! What an upload leaves behind, and what it does not.

use crate::samples::heic_files::{Coded, File, Item, Place, full};
use crate::world::{now, png, settle, upload, world};
use thumbnail_core::api::ProblemKind;
use thumbnail_core::job::State;
use thumbnail_core::service::change::cancel;
use thumbnail_core::testing::Pieces;
use thumbnail_pipeline::{ImageFormat, OutputFormat};

#[test]
fn effects_come_in_order() {
    let world = world();
    upload(&world, &mut Pieces::new(png(9, 9), 10)).unwrap();
    assert_eq!(
        world.log(),
        [
            "r2.put",
            "job.save",
            "kv.put",
            "queue.send",
            "d1.put",
            "job.call"
        ]
    );
}

#[test]
fn listeners_are_told_of_each_change_that_clients_can_see() {
    let world = world();
    let good = upload(&world, &mut Pieces::new(png(150, 120), 1_000)).unwrap();
    settle(&world);
    let seen = |id| world.told(id).into_iter().map(|(_, state)| state);
    let made = [State::Pending, State::Processing, State::Done];
    assert!(seen(good.id).eq(made), "{:?}", world.told(good.id));

    now(cancel(&world, good.id)).unwrap();
    // The intent before it is nobody's business.
    assert!(seen(good.id).eq(made.into_iter().chain([State::Cancelled])));
}

#[test]
fn a_large_upload_goes_up_in_equal_parts() {
    let world = world();
    let mut bytes = png(40, 40);
    bytes.resize(12 << 20, 0);
    let record = upload(&world, &mut Pieces::new(bytes.clone(), 1 << 16)).unwrap();
    assert_eq!(
        world.log()[..5],
        ["r2.begin", "r2.part", "r2.part", "r2.part", "r2.complete"]
    );
    assert_eq!(
        world.object(&format!("source/{}", record.id)).unwrap(),
        bytes
    );
    assert_eq!(record.source.bytes, 12 << 20);
}

#[test]
fn a_heic_whose_description_comes_late_is_judged_by_the_origin() {
    // Its alpha is not known when the names of its thumbnails are told.
    let coded = Coded::of(include_bytes!("../images/heic/gray.heic"));
    let mut file = File::single(&coded, (64, 48));
    let mut alpha = Item::coded(3, &coded, (64, 48));
    let name = full("auxC", 0, b"urn:mpeg:hevc:2015:auxid:1\0");
    alpha.properties.push(name);
    file.items.push(alpha);
    file.references.push(("auxl", 3, vec![1]));
    file.items.push(Item {
        id: 2,
        kind: *b"mime",
        data: vec![0; 5 << 20],
        place: Place::File,
        properties: Vec::new(),
    });
    let world = world();
    let mut pieces = Pieces::new(file.bytes_data_first(), 1 << 16);
    let record = upload(&world, &mut pieces).unwrap();
    assert_eq!(record.source.format, ImageFormat::Heic);
    assert_eq!(record.source.width, None, "the edge has not seen it");
    settle(&world);
    let record = &world.records()[0];
    assert_eq!(record.state, State::Done, "{:?}", record.failure);
    let made = &record.thumbnails[0];
    assert_eq!(made.format, OutputFormat::Jpeg);
    let file = record.file(&made.name, made.format);
    assert_eq!(record.first_file(), Some(file));
}

#[test]
fn what_is_no_picture_is_refused_and_nothing_stays() {
    for (bytes, kind) in [
        (Vec::new(), ProblemKind::EmptyUpload),
        (
            b"hello, this is no image at all; it only pretends to be one".to_vec(),
            ProblemKind::NotAnImage,
        ),
        (png(30, 30)[..20].to_vec(), ProblemKind::NotAnImage),
        (
            b"<svg xmlns=\"http://www.w3.org/2000/svg\"/>".to_vec(),
            ProblemKind::UnsupportedImage,
        ),
        (
            b"\0\0\0\x18ftypavif\0\0\0\0avifmif1".to_vec(),
            ProblemKind::UnsupportedImage,
        ),
    ] {
        let world = world();
        let problem = upload(&world, &mut Pieces::new(bytes, 7)).unwrap_err();
        assert_eq!(problem.kind, kind, "{problem:?}");
        assert!(world.object_keys().is_empty() && world.records().is_empty());
    }
}

#[test]
fn an_upload_over_the_limit_is_not_read_to_its_end() {
    let world = world();
    let mut bytes = png(40, 40);
    bytes.resize(40 << 20, 0);
    let mut pieces = Pieces::new(bytes, 1 << 20);
    assert_eq!(upload(&world, &mut pieces).unwrap_err().status, 413);
    assert!(pieces.taken() <= (33 << 20) && world.object_keys().is_empty());
    assert_eq!(world.log().last().unwrap(), "r2.abort");
}

#[test]
fn an_upload_that_breaks_off_leaves_nothing() {
    let world = world();
    let mut bytes = png(40, 40);
    bytes.resize(7 << 20, 0);
    for len in [0, 10, 3 << 20, 6 << 20] {
        let mut pieces = Pieces::new(bytes.clone(), 1 << 16).breaking_at(len);
        assert_eq!(
            upload(&world, &mut pieces).unwrap_err().kind,
            ProblemKind::BrokenUpload
        );
        assert!(world.object_keys().is_empty() && world.records().is_empty());
    }
}
