//! PNGs: rows of one filter, and blocks that hold nothing.

import zlib from "node:zlib";
import { chunk } from "../../../src/tools/example.mjs";
import { pick, sides } from "./random.mjs";

const MIB = 1 << 20;
const COLORS = { 0: 1, 2: 3, 4: 2, 6: 4 };
/** Raw bytes that are deflated in one go. */
const PIECE_BYTES = 4 * MIB;

export function picture(next) {
  return {
    ...sides(next, 4e8, 1e6),
    color: Number(pick(next, Object.keys(COLORS))),
    depth: pick(next, [8, 16]),
    interlaced: next() < 0.3,
    filter: Math.floor(next() * 5),
    level: pick(next, [0, 1, 6]),
    noise: pick(next, [0, 0, 1, 64]),
  };
}

/** Gives `feed` the bytes of the image, which is the same bytes again and again, without holding it. */
export function file({ width, height, color, depth, interlaced, filter, level, noise }, feed) {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width);
  header.writeUInt32BE(height, 4);
  header[8] = depth;
  header[9] = color;
  header[12] = interlaced ? 1 : 0;
  feed(Buffer.concat([Buffer.from("\x89PNG\r\n\x1a\n", "latin1"), chunk("IHDR", header)]));
  const row = 1 + (width * COLORS[color] * depth) / 8;
  // Passes have rows of other lengths: a byte that is a filter wherever it stands.
  const piece = Buffer.alloc(PIECE_BYTES, filter);
  for (let i = 1; noise && i < piece.length; i += noise) if (i % row) piece[i] = Math.imul(i, 2654435761) >>> 29;
  let left = row * height + (interlaced ? 2 * height + 8 : 0);
  // One block that ends at a byte, and the same one again: deflate refers to nothing before it.
  const whole = zlib.deflateRawSync(piece, { level, finishFlush: zlib.constants.Z_FULL_FLUSH });
  feed(chunk("IDAT", Buffer.from([0x78, 0x9c])));
  for (; left > 0; left -= PIECE_BYTES) feed(chunk("IDAT", whole));
  feed(chunk("IDAT", Buffer.from([3, 0, 0, 0, 0, 1])));
  feed(chunk("IEND", Buffer.alloc(0)));
}
