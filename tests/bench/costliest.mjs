//! Searches for the costliest job that is accepted: random jobs, and from the worst of them uphill.
//! Each runs in a process of its own, in the release wasm.

import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";
import * as bmp from "./costly/bmp.mjs";
import * as gif from "./costly/gif.mjs";
import * as jpeg from "./costly/jpeg.mjs";
import * as png from "./costly/png.mjs";
import { pick, random, spread } from "./costly/random.mjs";
import * as tiff from "./costly/tiff.mjs";
import * as webp from "./costly/webp.mjs";

/** For each: `picture(next)`, what there is to choose; `file(picture, feed)`, its bytes; `page`, if not the first. */
export const families = { png, jpeg, gif, tiff, webp, bmp };

const FITS = ["cover", "contain", "fill", "inside"];
const GRAVITIES = ["center", "entropy", "attention"];
const FORMATS = ["jpeg", "png", "webp", "gif"];
const CHUNK_BYTES = 64 << 10;
const BYTE_MS = 30e-6;

/** Returns a job: an image, and what is asked for of it. */
function job(next, family) {
  return {
    family,
    picture: families[family].picture(next),
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
function neighbor(next, from) {
  const to = structuredClone(from);
  const other = job(next, from.family);
  const change = pick(next, ["picture", "picture", "picture", "one", "one", "more", "fewer"]);
  if (change === "picture") {
    const name = pick(next, Object.keys(to.picture));
    // Sides go together: one of them alone is another number of pixels.
    const names = ["width", "height"].includes(name) ? ["width", "height"] : [name];
    for (const one of names) to.picture[one] = other.picture[one];
  } else if (change === "one") to.variants[Math.floor(next() * to.variants.length)] = variant(next);
  else if (change === "more" && to.variants.length < 16) to.variants.push(variant(next));
  else if (change === "fewer" && to.variants.length > 1) to.variants.pop();
  return to;
}

/** Runs one job here: what it took of CPU, and what was planned, in milliseconds. */
function run(module, { family, picture, variants }) {
  const { Session } = createRequire(import.meta.url)(module);
  const { file, page = () => 0 } = families[family];
  const named = variants.map((one, index) => ({ name: `v${index}`, page: page(picture), ...one }));
  const session = new Session(JSON.stringify(named));
  let spent = 0;
  let bytes = 0;
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
    file(picture, (piece) => {
      bytes += piece.length;
      for (let at = 0; at < piece.length; at += CHUNK_BYTES) {
        timed(() => session.feed(piece.subarray(at, at + CHUNK_BYTES)));
      }
    });
    const planned = session.planned_ms();
    timed(() => session.finish());
    return { ms: spent, planned, bytes };
  } catch (error) {
    return { ms: spent, bytes, refused: String(error?.message ?? error) };
  }
}

/** Runs one job in a process of its own. */
function measured(module, asked) {
  const child = spawnSync(process.execPath, [fileURLToPath(import.meta.url), module, JSON.stringify(asked)]);
  return JSON.parse(child.stdout.toString() || '{"ms":0,"refused":"died"}');
}

/**
 * Searches a family for so many seconds; returns the worst, with what it was compared with.
 * What is refused only after it has cost much is as bad as what is accepted.
 */
export function search(module, { family, seconds, seed }) {
  const next = random(seed);
  const ends = Date.now() + seconds * 1000;
  const tried = { done: 0, refused: 0, died: 0, above_plan: 0 };
  let worst = { ms: 0 };
  let here = { ms: 0 };
  for (let step = 0; Date.now() < ends; step += 1) {
    const restart = step % 12 === 0;
    const asked = restart ? job(next, family) : neighbor(next, here.asked);
    const found = { ...measured(module, asked), asked };
    if (found.refused === "died") tried.died += 1;
    else if (found.refused) tried.refused += 1;
    else {
      tried.done += 1;
      // Bytes are counted as they come: see `of_bytes` in src/pipeline/work.rs.
      if (found.ms > found.planned + found.bytes * BYTE_MS + 300) tried.above_plan += 1;
    }
    if (restart || found.ms >= here.ms) here = found;
    if (found.ms > worst.ms) {
      worst = found;
      const outcome = found.refused ?? `${Math.round(found.planned)} planned`;
      console.log(`  ${Math.round(found.ms)} ms, ${outcome}: ${JSON.stringify(asked)}`);
    }
  }
  return { worst, tried };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  process.stdout.write(JSON.stringify(run(process.argv[2], JSON.parse(process.argv[3]))));
}
