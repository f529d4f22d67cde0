//! Searches for the costliest job that is accepted: random jobs, and from the worst of them uphill.
//! Each runs in a process of its own, in the release wasm.

import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { createRequire } from "node:module";
import zlib from "node:zlib";

const MIB = 1 << 20;
const COLORS = { 0: 1, 2: 3, 4: 2, 6: 4 };
const FITS = ["cover", "contain", "fill", "inside"];
const GRAVITIES = ["center", "entropy", "attention"];
const FORMATS = ["jpeg", "png", "webp", "gif"];
const CHUNK_BYTES = 64 << 10;
/** Raw bytes that are deflated in one go. */
const PIECE_BYTES = 4 * MIB;

/** Numbers from 0 to 1, the same for the same seed. */
export function random(seed) {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

const pick = (next, all) => all[Math.floor(next() * all.length)];
/** From `from` to `to`, all orders of magnitude alike. */
const spread = (next, from, to) => Math.round(from * (to / from) ** next());

/** Returns a job: a picture, and what is asked for of it. */
export function job(next) {
  const pixels = spread(next, 1e6, 4e8);
  const aspect = spread(next, 1, 20) / spread(next, 1, 20);
  const color = Number(pick(next, Object.keys(COLORS)));
  const width = Math.max(1, Math.min(1e6, Math.round(Math.sqrt(pixels * aspect))));
  return {
    width,
    height: Math.max(1, Math.min(1e6, Math.floor(pixels / width))),
    color,
    depth: pick(next, [8, 16]),
    interlaced: next() < 0.3,
    filter: Math.floor(next() * 5),
    variants: Array.from({ length: spread(next, 1, 16) }, () => variant(next)),
  };
}

function variant(next) {
  return {
    width: spread(next, 1, 2500),
    height: spread(next, 1, 2500),
    fit: pick(next, FITS),
    gravity: pick(next, GRAVITIES),
    linear: next() < 0.5,
    format: pick(next, FORMATS),
  };
}

/** Returns a job that differs in one thing. */
export function neighbour(next, from) {
  const to = structuredClone(from);
  const other = job(next);
  const change = pick(next, ["pixels", "color", "depth", "interlaced", "filter", "one", "one", "one", "more", "fewer"]);
  if (change === "pixels") Object.assign(to, { width: other.width, height: other.height });
  else if (change === "one") to.variants[Math.floor(next() * to.variants.length)] = variant(next);
  else if (change === "more" && to.variants.length < 16) to.variants.push(variant(next));
  else if (change === "fewer" && to.variants.length > 1) to.variants.pop();
  else if (change in to) to[change] = other[change];
  return to;
}

function chunk(name, data) {
  const head = Buffer.from(name);
  const ends = Buffer.alloc(8);
  ends.writeUInt32BE(data.length);
  ends.writeUInt32BE(zlib.crc32(Buffer.concat([head, data])), 4);
  return Buffer.concat([ends.subarray(0, 4), head, data, ends.subarray(4)]);
}

/** Gives `feed` the bytes of the picture, which is the same bytes again and again, without holding it. */
function png({ width, height, color, depth, interlaced, filter }, feed) {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width);
  header.writeUInt32BE(height, 4);
  header[8] = depth;
  header[9] = color;
  header[12] = interlaced ? 1 : 0;
  feed(Buffer.concat([Buffer.from("\x89PNG\r\n\x1a\n", "latin1"), chunk("IHDR", header)]));
  const row = 1 + (width * COLORS[color] * depth) / 8;
  // Passes have rows of other lengths: a byte that is a filter wherever it stands.
  const piece = Buffer.alloc(PIECE_BYTES, filter);
  let left = row * height + (interlaced ? 2 * height + 8 : 0);
  // One block that ends at a byte, and the same one again: deflate refers to nothing before it.
  const whole = zlib.deflateRawSync(piece, { level: 6, finishFlush: zlib.constants.Z_FULL_FLUSH });
  feed(chunk("IDAT", Buffer.from([0x78, 0x9c])));
  for (; left > 0; left -= PIECE_BYTES) feed(chunk("IDAT", whole));
  feed(chunk("IDAT", Buffer.from([3, 0, 0, 0, 0, 1])));
  feed(chunk("IEND", Buffer.alloc(0)));
}

/** Runs one job here: what it took of CPU, and what was planned, in milliseconds. */
function run(module, asked) {
  const { Session } = createRequire(import.meta.url)(module);
  const variants = asked.variants.map((one, index) => ({ name: `v${index}`, ...one }));
  const session = new Session(JSON.stringify(variants));
  let spent = 0;
  const timed = (action) => {
    const from = process.cpuUsage();
    try {
      return action();
    } finally {
      const { user, system } = process.cpuUsage(from);
      spent += (user + system) / 1000;
    }
  };
  try {
    png(asked, (bytes) => {
      for (let at = 0; at < bytes.length; at += CHUNK_BYTES) {
        timed(() => session.feed(bytes.subarray(at, at + CHUNK_BYTES)));
      }
    });
    const planned = session.planned_ms();
    timed(() => session.finish());
    return { ms: spent, planned };
  } catch (error) {
    return { ms: spent, refused: String(error?.message ?? error) };
  }
}

/** Runs one job in a process of its own. */
function measured(module, asked) {
  const child = spawnSync(process.execPath, [fileURLToPath(import.meta.url), module, JSON.stringify(asked)]);
  return JSON.parse(child.stdout.toString() || '{"ms":0,"refused":"died"}');
}

/** Searches for so many seconds; returns the worst, with what it was compared with. */
export function search(module, { seconds, seed }) {
  const next = random(seed);
  const ends = Date.now() + seconds * 1000;
  const tried = { done: 0, refused: 0, above_plan: 0 };
  let worst = { ms: 0 };
  let here = { ms: 0 };
  for (let step = 0; Date.now() < ends; step += 1) {
    const restart = step % 12 === 0;
    const asked = restart ? job(next) : neighbour(next, here.asked);
    const found = { ...measured(module, asked), asked };
    if (found.refused) tried.refused += 1;
    else {
      tried.done += 1;
      if (found.ms > found.planned + 300) tried.above_plan += 1;
    }
    const worth = (one) => (one.refused ? 0 : one.ms);
    if (restart || worth(found) >= worth(here)) here = found;
    if (worth(found) > worst.ms) {
      worst = found;
      console.log(`  ${Math.round(found.ms)} ms of ${Math.round(found.planned)} planned: ${JSON.stringify(asked)}`);
    }
  }
  return { worst, tried };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  process.stdout.write(JSON.stringify(run(process.argv[2], JSON.parse(process.argv[3]))));
}
