//! JPEGs: dense blocks, many scans, refinements, every sampling.

import { pick, sides, spread } from "./random.mjs";

const MAX_BYTES = 32 << 20;
const SAMPLINGS = [[[1, 1]], [[1, 1], [1, 1], [1, 1]], [[2, 2], [1, 1], [1, 1]], [[2, 1], [1, 1], [1, 1]], [[4, 1], [1, 1], [1, 1]], [[1, 1], [2, 2], [2, 2]], [[1, 1], [1, 1], [1, 1], [1, 1]], [[2, 2], [1, 1], [1, 1], [2, 2]]];

export function picture(next) {
  return {
    ...sides(next, 4e8, 65_000),
    sampling: pick(next, SAMPLINGS),
    progressive: next() < 0.6,
    /** Coefficients of a block that are not zero. */
    coefficients: pick(next, [0, 1, 5, 20, 63]),
    refinements: spread(next, 1, 60),
    interval: pick(next, [0, 0, 8, 64]),
  };
}

const segment = (marker, body) => Buffer.concat([Buffer.from([0xff, marker, (body.length + 2) >> 8, (body.length + 2) & 255]), Buffer.from(body)]);
/** Codes of two bits for up to three symbols. */
const table = (kind, symbols) => segment(0xc4, [kind, 0, symbols.length, ...Array(14).fill(0), ...symbols]);

/** Bits in whole bytes, with zeros behind each 0xff. */
function bytesOf(bits) {
  const out = [];
  for (let at = 0; at < bits.length; at += 8) {
    const byte = parseInt(bits.slice(at, at + 8).padEnd(8, "1"), 2);
    out.push(byte);
    if (byte === 255) out.push(0);
  }
  return Buffer.from(out);
}

export function file({ width, height, sampling, progressive, coefficients, refinements, interval }, feed) {
  const frame = [8, height >> 8, height & 255, width >> 8, width & 255, sampling.length];
  sampling.forEach(([h, v], index) => frame.push(index + 1, (h << 4) | v, 0));
  feed(Buffer.from([0xff, 0xd8]));
  feed(segment(0xdb, [0, ...Array(64).fill(1)]));
  feed(segment(progressive ? 0xc2 : 0xc0, frame));
  // DC of no difference; AC: end of block, one coefficient of one bit, a zero run.
  feed(table(0x00, [0, 1]));
  feed(table(0x10, [0x00, 0x01, 0xf0]));
  if (interval) feed(segment(0xdd, [interval >> 8, interval & 255]));
  const hMax = Math.max(...sampling.map(([h]) => h));
  const vMax = Math.max(...sampling.map(([, v]) => v));
  const mcus = Math.ceil(width / (8 * hMax)) * Math.ceil(height / (8 * vMax));
  const single = sampling.map(([h, v]) => Math.ceil(Math.ceil((width * h) / hMax) / 8) * Math.ceil(Math.ceil((height * v) / vMax) / 8));
  const blocks = sampling.reduce((sum, [h, v]) => sum + h * v, 0);
  let left = MAX_BYTES - 2000;
  const scan = (components, [from, to, approx], unit, units) => {
    const head = [components.length];
    for (const index of components) head.push(index + 1, 0);
    const bytes = unit.length ? bytesOf(unit.repeat(8)) : Buffer.alloc(0);
    feed(segment(0xda, [...head, from, to, approx]));
    if (interval) {
      const restart = bytesOf(unit.repeat(interval));
      for (let done = 0, marker = 0; done < units && left > 0; done += interval, marker = (marker + 1) & 7) {
        if (done > 0) feed(Buffer.from([0xff, 0xd0 + marker - (marker ? 1 : -7)]));
        feed(restart);
        left -= restart.length + 2;
      }
      return;
    }
    for (let done = 0; done < units && left > 0; done += 8) {
      feed(bytes);
      left -= bytes.length;
    }
  };
  const all = sampling.map((_, index) => index);
  const block = "010".repeat(coefficients);
  const end = coefficients === 63 ? "" : "00";
  if (!progressive) {
    scan(all, [0, 63, 0], ("00" + block.replaceAll("010", "011") + end).repeat(blocks), mcus);
  } else {
    scan(all, [0, 0, 0x0d], "00".repeat(blocks), mcus);
    for (const index of all) scan([index], [1, 63, 0x0d], block.replaceAll("010", "011") + end, single[index]);
    for (let step = 0; step < refinements; step++) {
      const low = 12 - Math.floor(step / sampling.length);
      if (low < 0) break;
      const index = step % sampling.length;
      // A bit for each coefficient that is not zero, and the end of the block.
      scan([index], [1, 63, ((low + 1) << 4) | low], end + "1".repeat(coefficients), single[index]);
    }
  }
  feed(Buffer.from([0xff, 0xd9]));
}
