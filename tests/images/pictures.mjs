//! Small pictures made in code, one for each format that needs no codec, and the size out of an image's header.

import { readFileSync } from "node:fs";
import { crc32 } from "node:zlib";
import { examplePng, pngOf } from "../../src/tools/example.mjs";
import { inRoot } from "../../src/tools/paths.mjs";

/** Returns the bytes of a file in tests/images. */
export const picture = (name) => readFileSync(inRoot("tests", "images", name));

/** One image of each format that is decoded: its bytes, its media type, and what its thumbnail is. */
export const FORMATS = [
  { name: "jpeg", bytes: picture("photo.jpg"), mediaType: "image/jpeg", thumbnail: "jpeg", extension: "jpg" },
  { name: "png", bytes: examplePng(150, 120), mediaType: "image/png", thumbnail: "png", extension: "png" },
  { name: "gif", bytes: gif(60, 40), mediaType: "image/gif", thumbnail: "gif", extension: "gif" },
  { name: "webp", bytes: picture("photo.webp"), mediaType: "image/webp", thumbnail: "webp", extension: "webp" },
  { name: "bmp", bytes: bmp(150, 90), mediaType: "image/bmp", thumbnail: "png", extension: "png" },
  { name: "tiff", bytes: tiff(130, 150), mediaType: "image/tiff", thumbnail: "png", extension: "png" },
];

/** Returns the pixel of an image whose colors say where it is: red grows to the right, green downwards. */
function color(x, y, width, height) {
  return [Math.floor((x * 255) / width), Math.floor((y * 255) / height), 128];
}

/** Returns a BMP of 24 bits, its rows from the bottom up. */
export function bmp(width, height) {
  const stride = Math.ceil((width * 3) / 4) * 4;
  const bytes = Buffer.alloc(54 + stride * height);
  bytes.write("BM", "latin1");
  bytes.writeUInt32LE(bytes.length, 2);
  bytes.writeUInt32LE(54, 10);
  bytes.writeUInt32LE(40, 14);
  bytes.writeInt32LE(width, 18);
  bytes.writeInt32LE(height, 22);
  bytes.writeUInt16LE(1, 26);
  bytes.writeUInt16LE(24, 28);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      bytes.set(color(x, y, width, height).reverse(), 54 + (height - 1 - y) * stride + x * 3);
    }
  }
  return bytes;
}

/** Returns a GIF of 128 greys, with frames that are all the same. */
export function gif(width, height, frames = 1) {
  const [CLEAR, END, PIXELS_PER_CLEAR, MAX_BLOCK] = [128, 129, 100, 255];
  const header = Buffer.from("GIF89a\0\0\0\0\xf6\0\0", "latin1"); // a global palette of 128 colors
  header.writeUInt16LE(width, 6);
  header.writeUInt16LE(height, 8);
  const palette = Buffer.from(Array.from({ length: 128 }, (_, i) => [i * 2, i * 2, i * 2]).flat());
  // Codes never grow beyond eight bits: the dictionary is cleared in time.
  const image = Buffer.from([0x2c, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7]);
  image.writeUInt16LE(width, 5);
  image.writeUInt16LE(height, 7);
  const codes = [];
  for (let i = 0; i < width * height; i++) {
    if (i % PIXELS_PER_CLEAR === 0) codes.push(CLEAR);
    codes.push(Math.floor(((i % width) * 128) / width));
  }
  codes.push(END);
  const blocks = [];
  for (let at = 0; at < codes.length; at += MAX_BLOCK) {
    const block = codes.slice(at, at + MAX_BLOCK);
    blocks.push(block.length, ...block);
  }
  const frame = Buffer.concat([image, Buffer.from([...blocks, 0])]);
  return Buffer.concat([header, palette, ...Array.from({ length: frames }, () => frame), Buffer.from([0x3b])]);
}

/** Returns a TIFF of one uncompressed strip. */
export function tiff(width, height) {
  const SHORT = 3;
  const LONG = 4;
  const pixelsAt = 8 + 2 + 10 * 12 + 4 + 6;
  const bitsAt = pixelsAt - 6;
  const entries = [
    [256, LONG, 1, width],
    [257, LONG, 1, height],
    [258, SHORT, 3, bitsAt],
    [259, SHORT, 1, 1], // no compression
    [262, SHORT, 1, 2], // RGB
    [273, LONG, 1, pixelsAt],
    [274, SHORT, 1, 1],
    [277, SHORT, 1, 3],
    [278, LONG, 1, height],
    [279, LONG, 1, width * height * 3],
  ];
  const bytes = Buffer.alloc(pixelsAt + width * height * 3);
  bytes.write("II*\0", "latin1");
  bytes.writeUInt32LE(8, 4);
  bytes.writeUInt16LE(entries.length, 8);
  entries.forEach(([tag, type, count, value], index) => {
    const at = 10 + index * 12;
    bytes.writeUInt16LE(tag, at);
    bytes.writeUInt16LE(type, at + 2);
    bytes.writeUInt32LE(count, at + 4);
    bytes.writeUInt32LE(value, at + 8);
  });
  for (let i = 0; i < 3; i++) bytes.writeUInt16LE(8, bitsAt + i * 2);
  for (let y = 0, at = pixelsAt; y < height; y++) {
    for (let x = 0; x < width; x++, at += 3) bytes.set(color(x, y, width, height), at);
  }
  return bytes;
}

/** Returns a PNG whose header claims a size that its pixels do not have. */
export function pngThatClaims(width, height) {
  const bytes = examplePng(8, 8);
  bytes.writeUInt32BE(width, 16);
  bytes.writeUInt32BE(height, 20);
  bytes.writeUInt32BE(crc32(bytes.subarray(12, 29)), 29);
  return bytes;
}

/** Returns a black PNG: small to send, and as much work to decode as any of its size. */
export const flatPng = (width, height) => pngOf(width, height, Buffer.alloc(height * (1 + width * 3)));

/** The signature, the header and the head of the pixels' chunk of a PNG. */
const BEFORE_PIXELS = 8 + 25 + 8;

/** Returns a PNG that ends where its pixels begin. */
export const cutPng = () => examplePng(64, 64).subarray(0, BEFORE_PIXELS + 4);

/** Returns a PNG with nonsense in place of its pixels. */
export const brokenPng = () => Buffer.from(examplePng(64, 64)).fill(0xff, BEFORE_PIXELS, BEFORE_PIXELS + 200);

/** Returns a PNG with noise for pixels, which nothing makes small: about three bytes a pixel. */
export function noisyPng(width, height) {
  const stride = 1 + width * 3;
  const rows = Buffer.alloc(height * stride);
  let state = 1;
  for (let i = 0; i < rows.length; i++) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    rows[i] = i % stride === 0 ? 0 : state >>> 24;
  }
  return pngOf(width, height, rows);
}

/** Returns `{ format, width, height }` as the header of a thumbnail says. */
export function describe(bytes) {
  if (bytes.subarray(0, 8).equals(Buffer.from("\x89PNG\r\n\x1a\n", "latin1"))) {
    return { format: "png", width: bytes.readUInt32BE(16), height: bytes.readUInt32BE(20) };
  }
  if (bytes.toString("latin1", 0, 4) === "GIF8") {
    return { format: "gif", width: bytes.readUInt16LE(6), height: bytes.readUInt16LE(8) };
  }
  if (bytes.toString("latin1", 8, 12) === "WEBP") return { format: "webp", ...webpSize(bytes) };
  if (bytes.readUInt16BE(0) === 0xffd8) return { format: "jpeg", ...jpegSize(bytes) };
  throw new Error(`no image: ${bytes.subarray(0, 16).toString("hex")}`);
}

function webpSize(bytes) {
  const kind = bytes.toString("latin1", 12, 16);
  if (kind === "VP8 ") return { width: bytes.readUInt16LE(26) & 0x3fff, height: bytes.readUInt16LE(28) & 0x3fff };
  if (kind === "VP8X") return { width: bytes.readUIntLE(24, 3) + 1, height: bytes.readUIntLE(27, 3) + 1 };
  const bits = bytes.readUInt32LE(21); // VP8L: 14 bits each
  return { width: (bits & 0x3fff) + 1, height: ((bits >> 14) & 0x3fff) + 1 };
}

function jpegSize(bytes) {
  const isFrame = (marker) => marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
  let at = 2;
  while (!isFrame(bytes[at + 1])) at += 2 + bytes.readUInt16BE(at + 2);
  return { width: bytes.readUInt16BE(at + 7), height: bytes.readUInt16BE(at + 5) };
}
