//! Tells the class of an image from its first bytes.

const SOF_BASELINE = 0xc0;
const SOF_EXTENDED = 0xc1;
const SOF_PROGRESSIVE = 0xc2;
const SOS = 0xda;

/** Returns `jpeg-baseline`, `jpeg-progressive`, `png`, `webp-lossy`, `webp-lossless`, `gif`, `tiff`, `bmp` or undefined. */
export function classify(bytes) {
  const text = (start, end) => bytes.toString("latin1", start, end);
  if (bytes[0] === 0xff && bytes[1] === 0xd8) return jpegClass(bytes);
  if (text(1, 4) === "PNG") return "png";
  if (text(0, 4) === "GIF8") return "gif";
  if (text(0, 4) === "RIFF" && text(8, 12) === "WEBP") return webpClass(bytes);
  if (["II*\0", "MM\0*"].includes(text(0, 4))) return "tiff";
  if (text(0, 2) === "BM") return "bmp";
  return undefined;
}

function jpegClass(bytes) {
  for (let at = 2; at + 4 <= bytes.length; ) {
    const marker = bytes[at + 1];
    if (bytes[at] !== 0xff) return undefined;
    if (marker === 0xff) {
      at += 1;
      continue;
    }
    if (marker === SOF_BASELINE || marker === SOF_EXTENDED) return "jpeg-baseline";
    if (marker === SOF_PROGRESSIVE) return "jpeg-progressive";
    if (marker === SOS) return undefined;
    at += 2 + bytes.readUInt16BE(at + 2);
  }
  return undefined;
}

function webpClass(bytes) {
  for (let at = 12; at + 8 <= bytes.length; ) {
    const id = bytes.toString("latin1", at, at + 4);
    if (id === "VP8 ") return "webp-lossy";
    if (id === "VP8L") return "webp-lossless";
    const size = bytes.readUInt32LE(at + 4);
    at += 8 + size + (size & 1);
  }
  return undefined;
}
