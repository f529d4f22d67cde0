//! GIFs: long strings, clears, frames that cover one another.

import { pick, spread } from "./random.mjs";

const MAX_BYTES = 32 << 20;

export function picture(next) {
  const width = spread(next, 1, 20_000);
  return {
    width,
    height: Math.min(65_535, spread(next, 1, Math.max(1, Math.min(65_535, 2e8 / width)))),
    codes: pick(next, ["clears", "literals", "strings"]),
    interlaced: next() < 0.3,
    transparent: next() < 0.5,
    disposal: pick(next, [0, 1, 2, 3]),
    frames: spread(next, 1, 3000),
    page: next() < 0.5 ? 1 : 0,
  };
}

/** Sub-blocks of so many codes; of as many bytes as one may have, so that they can be repeated. */
function coded(kind, pixels) {
  const out = [];
  let hold = 0;
  let count = 0;
  const put = (code, bits) => {
    hold |= code << count;
    for (count += bits; count >= 8; count -= 8, hold >>>= 8) out.push(hold & 255);
  };
  const most = Math.min(pixels, 3_000_000);
  if (kind === "strings") {
    // Codes that grow to twelve bits, then one long string without end: the table stays full.
    let bits = 9;
    let next = 258;
    put(256, bits);
    put(1, bits);
    for (let given = 1; given < pixels && out.length < 4 << 20; ) {
      const code = Math.min(next, 4094);
      put(next < 4096 ? next : code, bits);
      given += code - 256;
      if (next < 4096 && ++next === 1 << bits && bits < 12) bits++;
    }
    put(257, 12);
  } else {
    const every = kind === "clears" ? 1 : 200;
    for (let i = 0; i < most; i++) {
      if (i % every === 0) put(256, 9);
      put(i & 255, 9);
    }
    put(257, 9);
  }
  put(0, 8);
  const bytes = Buffer.from(out);
  const blocks = [];
  for (let at = 0; at < bytes.length; at += 255) {
    const block = bytes.subarray(at, at + 255);
    blocks.push(Buffer.from([block.length]), block);
  }
  return Buffer.concat([...blocks, Buffer.from([0])]);
}

export function file({ width, height, codes, interlaced, transparent, disposal, frames }, feed) {
  const head = Buffer.alloc(13 + 768, 0x30);
  head.write("GIF89a", "latin1");
  head.writeUInt16LE(width, 6);
  head.writeUInt16LE(height, 8);
  head.set([0xf7, 0, 0], 10);
  feed(head);
  const control = Buffer.from([0x21, 0xf9, 4, (disposal << 2) | (transparent ? 1 : 0), 1, 0, 7, 0]);
  const image = Buffer.alloc(11);
  image[0] = 0x2c;
  image.writeUInt16LE(width, 5);
  image.writeUInt16LE(height, 7);
  image[9] = interlaced ? 0x40 : 0;
  image[10] = 8;
  const frame = Buffer.concat([control, image, coded(codes, width * height)]);
  for (let index = 0; index < frames && (index + 1) * frame.length < MAX_BYTES; index++) feed(frame);
  feed(Buffer.from([0x3b]));
}

export const page = (asked) => (asked.page ? asked.frames - 1 : 0);
