//! The pixels of a PNG, to compare thumbnails by what they show.

import { inflateSync } from "node:zlib";

const CHANNELS = { 0: 1, 2: 3, 4: 2, 6: 4 };

/** Returns `{ width, height, channels, data }` of a PNG of 8 bits that is neither interlaced nor indexed. */
export function pngPixels(bytes) {
  const [width, height] = [bytes.readUInt32BE(16), bytes.readUInt32BE(20)];
  const channels = CHANNELS[bytes[25]];
  if (bytes[24] !== 8 || !channels || bytes[28] !== 0) throw new Error("not a PNG of the kind that this reads");
  const rows = inflateSync(Buffer.concat(chunks(bytes, "IDAT")));
  const stride = width * channels;
  const data = Buffer.alloc(stride * height);
  for (let y = 0; y < height; y++) {
    const filter = rows[y * (stride + 1)];
    for (let x = 0; x < stride; x++) {
      const at = y * stride + x;
      const left = x >= channels ? data[at - channels] : 0;
      const up = y > 0 ? data[at - stride] : 0;
      const corner = x >= channels && y > 0 ? data[at - stride - channels] : 0;
      data[at] = rows[y * (stride + 1) + 1 + x] + predict(filter, left, up, corner);
    }
  }
  return { width, height, channels, data };
}

/** Returns a square picture whose pixel in column `x` and row `y` is the one that `from(x, y, last)` names. */
export function rearranged({ width, height, channels, data }, from) {
  const moved = Buffer.alloc(data.length);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const [fromX, fromY] = from(x, y, width - 1);
      const start = (fromY * width + fromX) * channels;
      moved.set(data.subarray(start, start + channels), (y * width + x) * channels);
    }
  }
  return { width, height, channels, data: moved };
}

/** Returns the largest difference between the samples of two images of one shape. */
export function maxDifference(a, b) {
  if (a.width !== b.width || a.height !== b.height || a.channels !== b.channels) return Infinity;
  return a.data.reduce((max, sample, index) => Math.max(max, Math.abs(sample - b.data[index])), 0);
}

function chunks(bytes, wanted) {
  const found = [];
  for (let at = 8; at < bytes.length; ) {
    const length = bytes.readUInt32BE(at);
    if (bytes.toString("latin1", at + 4, at + 8) === wanted) found.push(bytes.subarray(at + 8, at + 8 + length));
    at += length + 12;
  }
  return found;
}

function predict(filter, left, up, corner) {
  if (filter === 1) return left;
  if (filter === 2) return up;
  if (filter === 3) return (left + up) >> 1;
  return filter === 4 ? paeth(left, up, corner) : 0;
}

function paeth(left, up, corner) {
  const guess = left + up - corner;
  const [a, b, c] = [left, up, corner].map((value) => Math.abs(guess - value));
  if (a <= b && a <= c) return left;
  return b <= c ? up : corner;
}
