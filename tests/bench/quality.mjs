//! How near our thumbnail is to an exact one, before it is encoded with loss.
//! Takes a job as JSON, prints the PSNR in dB as JSON.

import { readFileSync } from "node:fs";
import sharp from "sharp";
import { loadOurs } from "./implementations.mjs";

const { file, module } = JSON.parse(process.argv[2]);
const SIDE = 100;
const picture = readFileSync(file);
const ours = await pixels(sharp(Buffer.from(loadOurs(module, "png")(picture))));
const exact = resample(await pixels(sharp(picture, { limitInputPixels: false }).autoOrient()));
process.stdout.write(JSON.stringify({ psnr_db: psnr(ours, exact) }));

async function pixels(image) {
  const { data, info } = await image.toColourspace("srgb").raw({ depth: "uchar" }).toBuffer({ resolveWithObject: true });
  return { data, width: info.width, height: info.height, channels: info.channels };
}

/** Covers SIDE x SIDE from the middle of the image: Lanczos3, 64-bit floats, premultiplied, a fractional crop. */
function resample(image) {
  const { data, width, height, channels } = image;
  const ratio = Math.min(width, height) / SIDE;
  const across = weights(width, (width - ratio * SIDE) / 2, ratio);
  const down = weights(height, (height - ratio * SIDE) / 2, ratio);
  const alpha = channels === 2 || channels === 4;
  const out = new Float64Array(SIDE * SIDE * channels);
  const line = new Float64Array(width * channels);
  const row = new Float64Array(SIDE * channels);
  const last = Math.max(...down.map(({ start, taps }) => start + taps.length));
  for (let y = down[0].start; y < last; y++) {
    premultiply(data.subarray(y * width * channels, (y + 1) * width * channels), line, channels, alpha);
    acrossRow(line, row, across, channels);
    for (let index = 0; index < SIDE; index++) {
      const weight = down[index].taps[y - down[index].start];
      if (weight === undefined) continue;
      for (let at = 0; at < row.length; at++) out[index * row.length + at] += row[at] * weight;
    }
  }
  return { data: clamp(out, channels, alpha), width: SIDE, height: SIDE, channels };
}

function acrossRow(line, row, across, channels) {
  for (let x = 0; x < SIDE; x++) {
    const { start, taps } = across[x];
    for (let channel = 0; channel < channels; channel++) {
      let sum = 0;
      for (let tap = 0, at = start * channels + channel; tap < taps.length; tap++, at += channels) sum += taps[tap] * line[at];
      row[x * channels + channel] = sum;
    }
  }
}

function premultiply(bytes, line, channels, alpha) {
  for (let at = 0; at < bytes.length; at += channels) {
    const opacity = alpha ? bytes[at + channels - 1] / 255 : 1;
    for (let channel = 0; channel < channels; channel++) line[at + channel] = bytes[at + channel] * opacity;
    if (alpha) line[at + channels - 1] = opacity * 255;
  }
}

/** Colours are at most as much as their opacity, and nothing is outside 0…255. */
function clamp(samples, channels, alpha) {
  for (let at = 0; at < samples.length; at += channels) {
    const opacity = alpha ? Math.min(255, Math.max(0, samples[at + channels - 1])) : 255;
    for (let channel = 0; channel < channels; channel++) {
      samples[at + channel] = Math.min(opacity, Math.max(0, samples[at + channel]));
    }
  }
  return samples;
}

/** For each result the first sample and the weights; samples beyond the image do not count. */
function weights(samples, offset, ratio) {
  const scale = Math.max(1, ratio);
  return Array.from({ length: SIDE }, (_, index) => {
    const center = offset + (index + 0.5) * ratio;
    const start = Math.max(0, Math.floor(center - 3 * scale));
    const end = Math.min(samples, Math.ceil(center + 3 * scale));
    const taps = Float64Array.from({ length: end - start }, (_, tap) => lanczos3((start + tap + 0.5 - center) / scale));
    const sum = taps.reduce((a, b) => a + b, 0);
    return { start, taps: taps.map((tap) => tap / sum) };
  });
}

function lanczos3(x) {
  if (Math.abs(x) < 1e-12) return 1;
  if (Math.abs(x) >= 3) return 0;
  return (3 * Math.sin(Math.PI * x) * Math.sin((Math.PI * x) / 3)) / (Math.PI * x) ** 2;
}

/** Over premultiplied colors and, where there is one, opacity. */
function psnr(ours, exact) {
  const a = premultiplied(ours);
  const b = rgba(exact, exact.data);
  let sum = 0;
  for (let at = 0; at < a.length; at++) sum += (a[at] - b[at]) ** 2;
  // Opacity of images without it is exact and must not count as agreement.
  const counted = exact.channels === 2 || exact.channels === 4 ? a.length : (a.length / 4) * 3;
  return 10 * Math.log10(255 ** 2 / Math.max(sum / counted, 1e-9));
}

function premultiplied(image) {
  const line = new Float64Array(image.data.length);
  premultiply(image.data, line, image.channels, image.channels === 2 || image.channels === 4);
  return rgba(image, line);
}

function rgba({ width, height, channels }, samples) {
  const gray = channels < 3;
  const alpha = channels === 2 || channels === 4;
  return Float64Array.from({ length: width * height * 4 }, (_, at) => {
    const [pixel, channel] = [Math.floor(at / 4), at % 4];
    if (channel === 3) return alpha ? samples[pixel * channels + channels - 1] : 255;
    return samples[pixel * channels + (gray ? 0 : channel)];
  });
}
