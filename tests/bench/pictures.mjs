//! Makes pictures to measure: something like photos, the same on every machine.

import { existsSync, mkdirSync, renameSync } from "node:fs";
import { join } from "node:path";

const SMALL = { width: 4032, height: 3024 };
// 100 million pixels.
const LARGE = { width: 11584, height: 8640 };
/** Changed whenever the images change, so that old ones in a folder are not taken for them. */
const EDITION = 1;

const ordinary = {
  "baseline-420.jpg": { ...SMALL, encode: (image) => image.jpeg({ quality: 90 }) },
  "baseline-444.jpg": { ...SMALL, encode: (image) => image.jpeg({ quality: 92, chromaSubsampling: "4:4:4" }) },
  "baseline-2mp.jpg": { width: 1632, height: 1224, encode: (image) => image.jpeg({ quality: 85 }) },
  "progressive.jpg": { ...SMALL, encode: (image) => image.jpeg({ quality: 85, progressive: true }) },
  "rgb.png": { ...SMALL, encode: (image) => image.png({ compressionLevel: 6 }) },
  "rgba.png": { width: 2016, height: 1512, channels: 4, encode: (image) => image.png({ compressionLevel: 6 }) },
  "palette.png": { width: 2016, height: 1512, encode: (image) => image.png({ palette: true }) },
  "adam7.png": { width: 2016, height: 1512, encode: (image) => image.png({ progressive: true }) },
  "lossy.webp": { ...SMALL, encode: (image) => image.webp({ quality: 80, effort: 2 }) },
  "lossless.webp": { width: 1152, height: 864, encode: (image) => image.webp({ lossless: true, effort: 2 }) },
  "plain.gif": { width: 1152, height: 864, encode: (image) => image.gif({ effort: 3 }) },
};

const large = {
  "100mp-baseline.jpg": { ...LARGE, encode: (image) => image.jpeg({ quality: 85 }) },
  "100mp-progressive.jpg": { ...LARGE, encode: (image) => image.jpeg({ quality: 85, progressive: true }) },
  "100mp-rgba.png": { ...LARGE, channels: 4, encode: (image) => image.png({ compressionLevel: 3 }) },
};

/** Makes the ordinary pictures in `folder` unless they are there; returns their paths. */
export const makeOrdinary = (folder) => make(folder, ordinary);
/** Makes the images of 100 megapixels. */
export const makeLarge = (folder) => make(folder, large);

async function make(folder, pictures) {
  const { default: sharp } = await import("sharp");
  mkdirSync(folder, { recursive: true });
  const paths = [];
  for (const [name, { width, height, channels = 3, encode }] of Object.entries(pictures)) {
    const path = join(folder, `${EDITION}-${name}`);
    paths.push(path);
    if (existsSync(path)) continue;
    console.log(`  making ${name}`);
    const image = sharp(paint(width, height, channels), { raw: { width, height, channels }, limitInputPixels: false });
    await encode(image).toFile(`${path}.part`);
    renameSync(`${path}.part`, path);
  }
  return paths;
}

/** Waves of many lengths, weaker the shorter they are, hard edges, and a sensor's noise; opacity where asked for. */
function paint(width, height, channels) {
  const data = Buffer.allocUnsafe(width * height * channels);
  const lengths = Array.from({ length: 9 }, (_, index) => 3 * 2.3 ** index);
  const wave = (count, turn) =>
    lengths.map((length) => Float32Array.from({ length: count }, (_, at) => Math.sin((at / length) * 6.283 + turn + length)));
  const [columns, rows] = [wave(width, 0.3), wave(height, 1.1)];
  const gains = lengths.map((length) => Math.min(28, length ** 0.55));
  const line = new Float32Array(width);
  let noise = 1;
  let at = 0;
  for (let y = 0; y < height; y++) {
    line.fill(0);
    for (let index = 0; index < lengths.length; index++) {
      const [gain, column] = [gains[index] * rows[index][y], columns[index]];
      for (let x = 0; x < width; x++) line[x] += gain * column[x];
    }
    for (let x = 0; x < width; x++) {
      noise = (Math.imul(noise, 1664525) + 1013904223) | 0;
      const grain = (noise >> 29) + ((noise >> 25) & 3) - 1;
      const edge = (x * 3 + y * 2) % 1733 < 610 ? 38 : 0;
      const value = line[x] + edge + grain;
      data[at] = bounded(112 + value);
      data[at + 1] = bounded(120 + value * 0.8 - edge * 0.5);
      data[at + 2] = bounded(96 - value * 0.4 + edge);
      if (channels === 4) data[at + 3] = bounded(170 + line[x] * 2 + edge);
      at += channels;
    }
  }
  return data;
}

const bounded = (value) => (value < 0 ? 0 : value > 255 ? 255 : value);
