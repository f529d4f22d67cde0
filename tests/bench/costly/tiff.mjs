//! TIFFs: many chunks, large ones, many samples a pixel, every compression.

import zlib from "node:zlib";
import { pick, sides, spread } from "./random.mjs";

const [SHORT, LONG] = [3, 4];
/** The longest file that is accepted. */
const MAX_BYTES = 32 << 20;

export function picture(next) {
  const samples = pick(next, [1, 3, 4, 4, 16]);
  return {
    ...sides(next, 2e8, 1e6),
    samples,
    bits: samples === 1 ? pick(next, [1, 8, 16]) : pick(next, [8, 16]),
    ink: next() < 0.3,
    planar: next() < 0.3,
    tiled: next() < 0.5,
    chunk: { width: spread(next, 1, 4000), height: spread(next, 1, 4000) },
    compression: pick(next, [1, 5, 8, 32773]),
    predictor: pick(next, [1, 2]),
    order: pick(next, ["II", "MM"]),
    reversed: next() < 0.2,
    texture: pick(next, ["flat", "noise", "clears"]),
  };
}

/** One chunk as it is stored: `bytes` of pixels. */
function packed({ compression, texture }, bytes) {
  const raw = Buffer.alloc(Math.min(bytes, 8 << 20), 0x55);
  if (texture !== "flat") for (let i = 0; i < raw.length; i++) raw[i] = Math.imul(i + 1, 2654435761) >>> 27;
  if (compression === 1) return raw;
  if (compression === 8) return zlib.deflateSync(raw, { level: texture === "clears" ? 9 : 1, memLevel: texture === "clears" ? 1 : 8 });
  if (compression === 32773) return texture === "flat" ? runs(bytes) : literals(raw);
  return lzw(raw, texture);
}

const runs = (bytes) => Buffer.alloc(2 * Math.ceil(bytes / 128), Buffer.from([0x81, 0x55]));

/** Literals of one byte each. */
function literals(raw) {
  const out = Buffer.alloc(raw.length * 2);
  for (let i = 0; i < raw.length; i++) out[2 * i + 1] = raw[i];
  return out;
}

/** LZW of nine bits whose table is cleared in time, or after each byte; or whose one string grows. */
function lzw(raw, texture) {
  const codes = [256];
  if (texture === "flat") {
    let [left, next] = [raw.length, 258];
    codes.push(0x55);
    for (let length = 2; (left -= length) > 0 && next < 510; length++) codes.push(next++);
  } else {
    const every = texture === "clears" ? 1 : 200;
    const most = Math.min(raw.length, 1 << 20);
    for (let i = 0; i < most; i++) {
      if (i % every === 0) codes.push(256);
      codes.push(raw[i]);
    }
  }
  codes.push(257);
  const out = Buffer.alloc(Math.ceil((codes.length * 9) / 8));
  codes.forEach((code, index) => {
    for (let bit = 0; bit < 9; bit++) if ((code >> (8 - bit)) & 1) out[(index * 9 + bit) >> 3] |= 0x80 >> ((index * 9 + bit) & 7);
  });
  return out;
}

export function file(asked, feed) {
  const { width, height, samples, bits, ink, planar, tiled, order, reversed } = asked;
  const size = tiled ? asked.chunk : { width, height: Math.min(asked.chunk.height, height) };
  const planes = planar && samples > 1 ? samples : 1;
  const rowBytes = Math.ceil((size.width * (samples / planes) * bits) / 8);
  const content = packed(asked, rowBytes * size.height);
  const fit = Math.floor((MAX_BYTES - 1024) / (content.length + 8));
  const count = Math.ceil(width / size.width) * Math.ceil(height / size.height) * planes;
  // An image of more chunks than a file may have is cut: its last ones are empty.
  const present = Math.min(count, fit);
  if (count > 2_000_000) return feed(Buffer.from("too many"));
  const entries = [
    [256, LONG, [width]],
    [257, LONG, [height]],
    [258, SHORT, Array(samples).fill(bits)],
    [259, SHORT, [asked.compression]],
    [262, SHORT, [ink && samples >= 4 ? 5 : samples >= 3 ? 2 : 1]],
    ...(reversed ? [[266, SHORT, [2]]] : []),
    [277, SHORT, [samples]],
    [284, SHORT, [planes > 1 ? 2 : 1]],
    ...(bits >= 8 ? [[317, SHORT, [asked.predictor]]] : []),
  ];
  const at = (bytes) => Array.from({ length: count }, (_, index) => (index < present ? bytes + index * content.length : bytes));
  const lengths = Array.from({ length: count }, (_, index) => (index < present ? content.length : 0));
  const isNarrow = content.length < 65536;
  const placed = (start) =>
    tiled
      ? [[322, LONG, [size.width]], [323, LONG, [size.height]], [324, LONG, at(start)], [325, isNarrow ? SHORT : LONG, lengths]]
      : [[273, LONG, at(start)], [278, LONG, [size.height]], [279, isNarrow ? SHORT : LONG, lengths]];
  const start = written(order, [...entries, ...placed(0)]).length;
  feed(written(order, [...entries, ...placed(start)].sort(([a], [b]) => a - b)));
  for (let index = 0; index < present; index++) feed(content);
}

/** The directory and the values that do not fit in it. */
function written(order, entries) {
  const little = order === "II";
  const more = [];
  const head = Buffer.alloc(8 + 2 + 12 * entries.length + 4);
  let end = head.length;
  head.write(order, "latin1");
  const put = (buffer, bytes, value, place) => (little ? buffer.writeUIntLE(value, place, bytes) : buffer.writeUIntBE(value, place, bytes));
  put(head, 2, 42, 2);
  put(head, 4, 8, 4);
  put(head, 2, entries.length, 8);
  entries.forEach(([tag, type, values], index) => {
    const place = 10 + 12 * index;
    const each = type === SHORT ? 2 : 4;
    put(head, 2, tag, place);
    put(head, 2, type, place + 2);
    put(head, 4, values.length, place + 4);
    if (values.length * each <= 4) values.forEach((value, i) => put(head, each, value, place + 8 + i * each));
    else {
      const bytes = Buffer.alloc(values.length * each);
      values.forEach((value, i) => put(bytes, each, value, i * each));
      put(head, 4, end, place + 8);
      more.push(bytes);
      end += bytes.length;
    }
  });
  return Buffer.concat([head, ...more]);
}
