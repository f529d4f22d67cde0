//! `npm run bench`: our release wasm and its peers on the same files. README.md tells how, and how to read it.

import { readFileSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { inRoot } from "../../src/tools/paths.mjs";
import { Fault, program, seconds, step } from "../../src/tools/run.mjs";
import { setup } from "../../src/tools/setup.mjs";
import { fingerprint, isStamped, stamp } from "../../src/tools/stamp.mjs";
import { SHIPPED_CAP_MIB, buildWasm } from "./build.mjs";
import { classify } from "./classify.mjs";
import { peers } from "./implementations.mjs";
import { families, search } from "./costliest.mjs";
import { measure, quality } from "./measure.mjs";
import { makeLarge, makeOrdinary } from "./pictures.mjs";
import { MIN_PSNR_DB, beforeTable, classTable, fileTable, summary, troubles, workerdTable } from "./report.mjs";
import { measureInWorkerd } from "./workerd.mjs";

/** Half of an isolate's memory: under it, 100 megapixels prove that nothing is held whole. */
const LARGE_CAP_MIB = 64;
/** What the service accepts by default. */
const MAX_WORK_MS = 10_000;

const { values: asked } = parseArgs({
  options: {
    files: { type: "string" },
    json: { type: "string" },
    before: { type: "string" },
    peers: { type: "string" },
    rounds: { type: "string", default: "2" },
    calls: { type: "string", default: "41" },
    costliest: { type: "string" },
    family: { type: "string" },
    seed: { type: "string", default: "1" },
    large: { type: "boolean", default: false },
    workerd: { type: "boolean", default: false },
  },
});

async function bench() {
  const started = Date.now();
  const implementations = chosen();
  await setup();
  if (asked.costliest) return findCostliest();
  await installPeers();
  if (asked.workerd) return inWorkerd();
  const cap = asked.large ? LARGE_CAP_MIB : SHIPPED_CAP_MIB;
  const module = await buildWasm(cap);
  const before = asked.before && resolve(asked.before);
  const pictures = await described(await paths());
  if (pictures.length === 0) throw new Fault("there are no images to measure");
  const rounds = positive("rounds");
  const rows = await measure({ pictures, implementations, modules: { ours: module, before }, rounds, calls: positive("calls") });
  await judge(rows, module);
  const result = { cap_mib: cap, node: process.version, rounds, summary: summary(rows), rows };
  print(result, implementations);
  if (asked.json) writeFileSync(asked.json, `${JSON.stringify(result, null, 2)}\n`);
  console.log(`bench: done in ${seconds(started)}`);
  return rows.some((row) => row.implementation === "ours" && (row.error || row.void)) ? 1 : 0;
}

/** Searches for the costliest job that is accepted; fails where it takes longer than the limit says. */
async function findCostliest() {
  const chosen = asked.family ? asked.family.split(",") : Object.keys(families);
  const unknown = chosen.find((family) => !(family in families));
  if (unknown) throw new Fault(`${unknown} is not one of ${Object.keys(families).join(", ")}`);
  const module = await buildWasm(SHIPPED_CAP_MIB);
  let most = 0;
  for (const family of chosen) {
    const { worst, tried } = search(module, { family, seconds: positive("costliest"), seed: positive("seed") });
    const counts = `${tried.done} done, ${tried.refused} refused, ${tried.died} died, ${tried.above_plan} above their plan`;
    console.log(`costliest ${family}: ${Math.round(worst.ms)} ms of CPU; ${counts}`);
    most = Math.max(most, tried.died > 0 ? Infinity : worst.ms);
  }
  return most > MAX_WORK_MS ? 1 : 0;
}

/** Measures ours alone, in the runtime that the service runs in. */
async function inWorkerd() {
  const module = await buildWasm(SHIPPED_CAP_MIB, "workerd");
  const rows = await measureInWorkerd({ files: await paths(), module, calls: positive("calls") });
  console.log(`\nCPU time of the workerd process per thumbnail\n\n${workerdTable(rows)}`);
  if (asked.json) writeFileSync(asked.json, `${JSON.stringify({ rows }, null, 2)}\n`);
  return 0;
}

function chosen() {
  // Peers that cannot hold 100 megapixels would only make that run long.
  const names = (asked.peers ?? (asked.large ? "sharp" : "sharp,photon,jsquash,wasm-vips")).split(",").filter(Boolean);
  const unknown = names.find((name) => !(name in peers));
  if (unknown) throw new Fault(`${unknown} is not one of ${Object.keys(peers).join(", ")}`);
  return ["ours", ...(asked.before ? ["before"] : []), ...new Set(["sharp", ...names])];
}

function positive(option) {
  const number = Number(asked[option]);
  if (!Number.isInteger(number) || number < 1) throw new Fault(`--${option} must be 1 or more, not ${asked[option]}`);
  return number;
}

async function installPeers() {
  const path = inRoot("tests", "bench", "node_modules", ".stamp");
  const texts = [process.platform, process.arch];
  const wanted = fingerprint({ files: ["tests/bench/package-lock.json"], texts });
  if (isStamped(path, wanted)) return;
  const args = ["install", "--no-save", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
  await step("npm install of the peers", "npm", [...args, "--prefix", inRoot("tests", "bench")]);
  stamp(path, wanted);
}

async function paths() {
  if (asked.files) {
    const folder = resolve(asked.files);
    return readdirSync(folder).sort().map((name) => join(folder, name)).filter((path) => statSync(path).isFile());
  }
  const folder = inRoot("target", "bench", "pictures");
  return asked.large ? makeLarge(folder) : makeOrdinary(folder);
}

async function described(files) {
  // Only here, for it is installed after this file was loaded.
  const { default: sharp } = await import("sharp");
  const pictures = [];
  for (const file of files) {
    const name = classify(readFileSync(file));
    if (name === undefined) {
      console.log(`  left out ${file}: no image that is measured`);
      continue;
    }
    const { width, height } = await sharp(file, { limitInputPixels: false }).metadata();
    pictures.push({ file, class: name, megapixels: (width * height) / 1e6, file_bytes: statSync(file).size });
  }
  return pictures;
}

/** Compares our thumbnails with exact ones: after the timing, for this takes both cores. */
async function judge(rows, module) {
  for (const row of rows) {
    if (row.implementation !== "ours" || row.error) continue;
    const { psnr_db, error } = await quality(row.file, module);
    if (error) row.error = `no reference: ${error}`;
    else Object.assign(row, { psnr_db, void: psnr_db < MIN_PSNR_DB });
  }
}

function print({ cap_mib, rows, summary: figures }, implementations) {
  console.log(`\nCPU time per thumbnail of 100x100, JPEG of quality 80; ours with at most ${cap_mib} MiB of memory\n`);
  console.log(fileTable(rows, implementations));
  console.log(`\nRatios to sharp\n\n${classTable(rows, implementations)}\n`);
  if (asked.before) console.log(`Ratios to ${asked.before}\n\n${beforeTable(rows)}\n`);
  for (const trouble of troubles(rows)) console.log(`! ${trouble}`);
  console.log(JSON.stringify(figures));
}

await program(bench);
