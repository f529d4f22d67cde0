//! What is uploaded: pictures of every kind, some of them damaged, and what is to become of each.

import { deflateSync } from "node:zlib";
import { bmp, brokenPng, cutPng, flatPng, gif, noisyPng, picture, tiff } from "../images/pictures.mjs";
import { chunk, examplePng } from "../../src/tools/example.mjs";

const DAMAGED_SHARE = 0.08;
const CANCELLED_SHARE = 0.08;

/** The channels of each color type of PNG. */
const CHANNELS = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };

const STORED = ["photo.jpg", "photo.webp", "progressive.jpg", "orientation/quadrants-exif6.jpg", "orientation/quadrants-exif3.tif"];

const GOOD = {
  "png-example": (chance) => examplePng(chance.whole(1, 400), chance.whole(1, 400)),
  "png-noisy": (chance) => noisyPng(chance.whole(8, 300), chance.whole(8, 300)),
  // Long to decode, short to send: these are the ones that kills hit half made.
  "png-large": (chance) => flatPng(chance.whole(1_500, 3_000), 2_000),
  "png-kinds": (chance) => pngOfKind(chance.pick([[0, 8], [0, 16], [2, 16], [3, 8], [4, 8], [6, 8], [6, 16]]), chance.whole(1, 200), chance.whole(1, 200)),
  gif: (chance) => gif(chance.whole(1, 200), chance.whole(1, 200)),
  bmp: (chance) => bmp(chance.whole(1, 200), chance.whole(1, 200)),
  tiff: (chance) => tiff(chance.whole(1, 200), chance.whole(1, 200)),
  stored: (chance) => picture(chance.pick(STORED)),
};

const DAMAGED = { "png-cut": cutPng, "png-broken": brokenPng };

/** Returns the `count` uploads of a run: `{ kind, bytes(), damaged, cancelled }`. Bytes are made when they are sent. */
export function uploads(count, chance) {
  return Array.from({ length: count }, () => {
    const damaged = chance.chance(DAMAGED_SHARE);
    const cancelled = chance.chance(CANCELLED_SHARE);
    const kinds = damaged ? DAMAGED : GOOD;
    const kind = chance.pick(Object.keys(kinds));
    const bytes = kinds[kind](chance);
    return { kind, bytes, damaged, cancelled };
  });
}

/** Returns a PNG of a color type and a depth, of noise that compresses a little. */
function pngOfKind([type, depth], width, height) {
  const stride = 1 + width * CHANNELS[type] * (depth / 8);
  const rows = Buffer.alloc(stride * height);
  for (let i = 0; i < rows.length; i++) rows[i] = i % stride === 0 ? 0 : (i * 31) & 0x7f;
  const header = Buffer.from([0, 0, 0, 0, 0, 0, 0, 0, depth, type, 0, 0, 0]);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  const palette = Buffer.from(Array.from({ length: 256 * 3 }, (_, i) => (i * 5) & 0xff));
  const before = type === 3 ? [chunk("PLTE", palette)] : [];
  const signature = Buffer.from("\x89PNG\r\n\x1a\n", "latin1");
  return Buffer.concat([signature, chunk("IHDR", header), ...before, chunk("IDAT", deflateSync(rows)), chunk("IEND", Buffer.alloc(0))]);
}
