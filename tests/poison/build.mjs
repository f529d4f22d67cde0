//! Builds the Worker with the fault that images of tests/poison set off: unoptimised, and into a folder of its own. It has both features, so that one build does for both Workers.

import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { buildEnv, POISON, SOURCES } from "../../src/tools/build.mjs";
import { cargoBin, inRoot } from "../../src/tools/paths.mjs";
import { Fault, seconds, streamed } from "../../src/tools/run.mjs";
import { fingerprint, isStamped, stamp } from "../../src/tools/stamp.mjs";

const FOLDER = "build-poison";
const WASM = inRoot(FOLDER, "index_bg.wasm");
const STAMP = inRoot(FOLDER, ".stamp");

/** Builds unless the output belongs to the sources as they are. */
export async function buildPoison() {
  const wanted = fingerprint({ files: SOURCES, texts: [FOLDER] });
  if (isStamped(STAMP, wanted) && existsSync(WASM)) return;
  const started = Date.now();
  const args = ["--dev", "--no-opt", "--out-dir", FOLDER, ".", "--", "--locked", "--features", "poison"];
  const { code } = await streamed(cargoBin("worker-build"), args, { env: buildEnv() });
  if (code !== 0) throw new Fault("the build failed, see above");
  // Proves that the check of the shipped wasm would find it there.
  if (!readFileSync(WASM).includes(POISON)) throw new Fault("the poisoned build has no poison");
  stamp(STAMP, wanted);
  console.log(`poison build: done in ${seconds(started)}`);
}

/** Writes the configs of both Workers for the poisoned build; returns their paths and how to remove them. */
export function poisonConfigs() {
  const folder = mkdtempSync(join(tmpdir(), "edge-thumbnails-poison-"));
  const main = `main = ${JSON.stringify(inRoot(FOLDER, "index.js"))}`;
  const assets = `directory = ${JSON.stringify(inRoot("build", "assets"))}`;
  const configs = ["wrangler.toml", "wrangler.origin.toml"].map((name) => {
    const path = join(folder, name);
    const config = readFileSync(inRoot(name), "utf8");
    writeFileSync(path, config.replace(/^main = .*$/m, main).replace('directory = "build/assets"', assets));
    return path;
  });
  return { configs, remove: () => rmSync(folder, { recursive: true, force: true }) };
}
