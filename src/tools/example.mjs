//! Makes a small example picture without any library.

import { crc32, deflateSync } from "node:zlib";

/** Returns a PNG of `width` x `height` pixels, a color gradient with a light disc. */
export function examplePng(width = 640, height = 480) {
  const rows = Buffer.alloc(height * (1 + width * 3));
  for (let y = 0, at = 0; y < height; y++) {
    rows[at++] = 0; // no filter
    for (let x = 0; x < width; x++) {
      const light = Math.hypot(x - width / 2, y - height / 2) < height / 3 ? 90 : 0;
      rows[at++] = (x * 165) / width + light;
      rows[at++] = (y * 165) / height + light;
      rows[at++] = 120 + light;
    }
  }
  return pngOf(width, height, rows);
}

/** Returns the PNG of rows of 8-bit RGB pixels, each behind the byte of its filter. */
export function pngOf(width, height, rows) {
  const header = Buffer.from([0, 0, 0, 0, 0, 0, 0, 0, 8, 2, 0, 0, 0]); // 8 bits, RGB
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  const signature = Buffer.from("\x89PNG\r\n\x1a\n", "latin1");
  return Buffer.concat([signature, chunk("IHDR", header), chunk("IDAT", deflateSync(rows, { level: 1 })), chunk("IEND", Buffer.alloc(0))]);
}

/** Returns a chunk of a PNG. */
export function chunk(type, data) {
  const body = Buffer.concat([Buffer.from(type, "latin1"), data]);
  const framed = Buffer.alloc(body.length + 8);
  framed.writeUInt32BE(data.length, 0);
  body.copy(framed, 4);
  framed.writeUInt32BE(crc32(body), body.length + 4);
  return framed;
}
