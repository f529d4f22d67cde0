//! BMPs of every depth, and runs of every kind.

import { pick, repeat, sides } from "./random.mjs";

const MAX_BYTES = 32 << 20;

export function picture(next) {
  return {
    ...sides(next, 4e8, 65_535),
    kind: pick(next, [1, 4, 8, 16, 24, 32, "masks16", "masks32", "rle8", "rle4"]),
    texture: pick(next, ["runs", "ones", "literals", "skips", "lines"]),
    flipped: next() < 0.3,
  };
}

const RUNS = {
  runs: [255, 0x12],
  ones: [1, 0x12],
  literals: [0, 3, 0x12, 0x34, 0x56, 0],
  skips: [0, 2, 1, 0],
  lines: [0, 0],
};

export function file({ width, height, kind, texture, flipped }, feed) {
  const isRun = String(kind).startsWith("rle");
  const isMasked = String(kind).startsWith("masks");
  const bits = typeof kind === "number" ? kind : Number(kind.replace(/\D/g, ""));
  const colors = bits <= 8 ? 2 ** bits : 0;
  const head = Buffer.alloc(54);
  head.write("BM", "latin1");
  head.writeUInt32LE(54 + colors * 4 + (isMasked ? 12 : 0), 10);
  head.writeUInt32LE(40, 14);
  head.writeInt32LE(width, 18);
  head.writeInt32LE(flipped && !isRun ? -height : height, 22);
  head.writeUInt16LE(1, 26);
  head.writeUInt16LE(bits, 28);
  head.writeUInt32LE(isRun ? (bits === 8 ? 1 : 2) : isMasked ? 3 : 0, 30);
  feed(head);
  if (isMasked) {
    const masks = Buffer.alloc(12);
    [0x3c0, 0x1c, 0x3].forEach((mask, index) => masks.writeUInt32LE(mask, index * 4));
    feed(masks);
  }
  feed(Buffer.alloc(colors * 4, 0x5a));
  const pixels = isRun ? MAX_BYTES : Math.ceil((width * bits) / 32) * 4 * height;
  repeat(isRun ? Buffer.alloc(1 << 20, Buffer.from(RUNS[texture])) : Buffer.alloc(1 << 20, 0x5a), Math.min(pixels, MAX_BYTES - 2000), feed);
}
