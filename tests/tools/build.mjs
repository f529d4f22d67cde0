//! Builds the one wasm that both Workers ship, and checks what came out.

import { existsSync, readFileSync, realpathSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { assembleAssets } from "./assets.mjs";
import { cargoBin, inRoot, npmBin } from "./paths.mjs";
import { Fault, program, seconds, streamed } from "./run.mjs";
import { setup } from "./setup.mjs";
import { fingerprint, isStamped, stamp } from "./stamp.mjs";
import { inspect } from "./wasm.mjs";

const WASM = inRoot("build", "index_bg.wasm");
const STAMP = inRoot("build", ".stamp");
/** What the build is made of. */
export const SOURCES = ["src", "Cargo.toml", "Cargo.lock", ".cargo/config.toml", "rust-toolchain.toml", "package-lock.json"];

/** Features of the root package that are built in, from `FEATURES=heic npm run build`; `npm start` and `npm run deploy` take it too. */
const FEATURES = (process.env.FEATURES ?? "").split(/[\s,]+/).filter(Boolean);

// 96 MiB of an isolate's 128, as .cargo/config.toml asks the linker for.
const MAX_PAGES = 1536;
// A Worker may have 64 MiB, but it must start within a second, and every cold start pays for its size.
const MAX_GZIP_BYTES = 1_500_000;

/** The marker of pictures that kill a build made for tests, as src/pipeline/poison.rs has it. */
export const POISON = "edge-thumbnails-poison: ";

/** Builds unless the output belongs to the sources as they are. */
export async function build() {
  const wanted = fingerprint({ files: SOURCES, texts: FEATURES });
  if (isStamped(STAMP, wanted) && existsSync(WASM)) {
    await assembleAssets();
    console.log("build: up to date");
    return;
  }
  const started = Date.now();
  const features = FEATURES.flatMap((feature) => ["--features", feature]);
  const { code } = await streamed(cargoBin("worker-build"), ["--release", ".", "--", "--locked", ...features], { env: buildEnv() });
  if (code !== 0) throw new Fault("the build failed, see above");
  check(readFileSync(WASM));
  await assembleAssets();
  stamp(STAMP, wanted);
  console.log(`build: done in ${seconds(started)}`);
}

/** Returns what `worker-build` has to find in its environment. */
export function buildEnv() {
  return {
    WASM_BINDGEN_BIN: cargoBin("wasm-bindgen"),
    ESBUILD_BIN: npmBin("esbuild"),
    WASM_OPT_BIN: npmBin("wasm-opt"),
    // They would replace the flags of .cargo/config.toml, memory limit included.
    RUSTFLAGS: undefined,
    CARGO_ENCODED_RUSTFLAGS: undefined,
  };
}

function check(bytes) {
  const { maxPages, simd } = inspect(bytes);
  const gzipped = gzipSync(bytes, { level: 9 }).length;
  console.log(`build: wasm ${kib(bytes.length)}, gzipped ${kib(gzipped)}, memory at most ${maxPages} pages, simd ${simd}`);
  if (maxPages !== MAX_PAGES) throw new Fault(`the wasm's memory is limited to ${maxPages} pages, not ${MAX_PAGES}`);
  if (bytes.includes(POISON)) throw new Fault("the wasm has the fault that only a test may have");
  if (!simd) throw new Fault("the wasm uses no simd instructions; are the rustflags of .cargo/config.toml in effect?");
  if (gzipped > MAX_GZIP_BYTES) throw new Fault(`the wasm has ${gzipped} bytes gzipped, more than ${MAX_GZIP_BYTES}`);
}

const kib = (bytes) => `${(bytes / 1024).toFixed(0)} KiB`;

if (realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) await program(() => setup().then(build));
