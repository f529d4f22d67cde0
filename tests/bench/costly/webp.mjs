//! Lossy WebPs of noise, which is valid whatever it is.

import { noise, pick, random, repeat, sides } from "./random.mjs";

const MAX_BYTES = 32 << 20;

export function picture(next) {
  return { ...sides(next, 2.6e8, 16_383), seed: Math.floor(next() * 1e9), bytesPerPixel: pick(next, [0.01, 0.1, 0.5, 1, 4]) };
}

export function file({ width, height, seed, bytesPerPixel }, feed) {
  const total = Math.min(MAX_BYTES - 64, Math.max(64, Math.round(width * height * bytesPerPixel)));
  const even = total + (total & 1);
  const first = Math.min(0x7ffff, Math.floor(total / 4));
  const head = Buffer.alloc(30);
  head.write("RIFF", "latin1");
  head.writeUInt32LE(even + 22, 4);
  head.write("WEBPVP8 ", 8, "latin1");
  head.writeUInt32LE(even + 10, 16);
  head.writeUIntLE((first << 5) | 0x10, 20, 3);
  head.set([0x9d, 0x01, 0x2a], 23);
  head.writeUInt16LE(width, 26);
  head.writeUInt16LE(height, 28);
  feed(head);
  // Its first bits choose segments, filters and partitions.
  repeat(noise(random(seed), 1 << 20), even, feed);
}
