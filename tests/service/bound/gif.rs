//! GIF: of one frame or several, interlaced or not, on canvases that they cover or do not.

use gif::{DisposalMethod, Encoder, Frame};

use super::random::Random;
use super::sources::Shape;

pub fn file(random: &mut Random, shape: &Shape) -> (&'static str, Vec<u8>) {
    let (width, height) = (shape.width as u16, shape.height as u16);
    let palette = |random: &mut Random| random.samples(3, 256);
    let mut out = Vec::new();
    let global = if random.one_in(2) {
        palette(random)
    } else {
        Vec::new()
    };
    let mut encoder = Encoder::new(&mut out, width, height, &global).expect("writes");
    let frames = if random.one_in(2) {
        random.within(2, 4)
    } else {
        1
    };
    for _ in 0..frames {
        let whole = random.one_in(2);
        let (w, h) = if whole {
            (width, height)
        } else {
            (width.div_ceil(2), height.div_ceil(3))
        };
        let indices = random.samples(w.into(), h.into());
        let transparent = random.one_in(2).then_some(3);
        let colors = (global.is_empty() || random.one_in(2)).then(|| palette(random));
        let mut frame = Frame {
            width: w,
            height: h,
            buffer: indices.into(),
            palette: colors,
            transparent,
            ..Frame::default()
        };
        frame.interlaced = random.one_in(2);
        frame.dispose = random.pick(&[
            DisposalMethod::Keep,
            DisposalMethod::Background,
            DisposalMethod::Previous,
        ]);
        encoder.write_frame(&frame).expect("writes");
    }
    drop(encoder);
    (if frames > 1 { "gif of frames" } else { "gif" }, out)
}
