//! Builds the wasm of each Worker, and checks what came out.

import { existsSync, readFileSync, readdirSync, realpathSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { assembleAssets } from "./assets.mjs";
import { cargoBin, inRoot, npmBin } from "./paths.mjs";
import { Fault, program, seconds, streamed } from "./run.mjs";
import { setup } from "./setup.mjs";
import { fingerprint, isStamped, stamp } from "./stamp.mjs";
import { decoders, FORMATS, inspect } from "./wasm.mjs";

/** Both Workers: a feature of the package, a profile of Cargo.toml, and a folder of `build` each. */
const WORKERS = [
  { name: "edge", optimization: "-Os", hasDecoders: false },
  { name: "origin", optimization: "-O3", hasDecoders: true },
];

const wasmOf = (name) => inRoot("build", name, "index_bg.wasm");
const STAMP = inRoot("build", ".stamp");
/** What the build is made of. */
export const SOURCES = [...rust(), "src/tools/build.mjs", "Cargo.toml", "Cargo.lock", ".cargo/config.toml", "rust-toolchain.toml", "package-lock.json"];

function rust() {
  const others = ["README.md", "docs", "tools"];
  return readdirSync(inRoot("src")).filter((name) => !others.includes(name)).map((name) => `src/${name}`);
}

/** Features of the root package that are built in, from `FEATURES=heic npm run build`; `npm start` and `npm run deploy` take it too. */
const FEATURES = (process.env.FEATURES ?? "").split(/[\s,]+/).filter(Boolean);

// 96 MiB of an isolate's 128, as .cargo/config.toml asks the linker for.
const MAX_PAGES = 1536;
// A Worker may have 64 MiB, but it must start within a second, and every cold start pays for its size.
const MAX_GZIP_BYTES = 750_000;
/** What workerd runs: the features that rustc and wasm-bindgen use, and no others. */
const WASM_FEATURES = ["mutable-globals", "sign-ext", "nontrapping-float-to-int", "bulk-memory", "multivalue", "reference-types", "exception-handling", "simd"];

/** The marker of images that kill a build made for tests, as src/pipeline/poison.rs has it. */
export const POISON = "edge-thumbnails-poison: ";

/** Builds both Workers unless the output belongs to the sources as they are. */
export async function build() {
  const wanted = fingerprint({ files: SOURCES, texts: FEATURES });
  if (isStamped(STAMP, wanted) && WORKERS.every(({ name }) => existsSync(wasmOf(name)))) {
    await assembleAssets();
    console.log("build: up to date");
    return;
  }
  const started = Date.now();
  for (const worker of WORKERS) await buildWorker(worker);
  await assembleAssets();
  stamp(STAMP, wanted);
  console.log(`build: done in ${seconds(started)}`);
}

async function buildWorker({ name, optimization, hasDecoders }) {
  const features = [name, ...FEATURES].join(",");
  const cargo = ["--locked", "--no-default-features", "--features", features];
  const args = ["--profile", name, "--no-opt", "--out-dir", `build/${name}`, ".", "--", ...cargo];
  await run(cargoBin("worker-build"), args, { env: buildEnv() });
  // Names are gone once it is optimized.
  checkDecoders(name, decoders(readFileSync(wasmOf(name))), hasDecoders);
  const enabled = WASM_FEATURES.map((feature) => `--enable-${feature}`);
  await run(npmBin("wasm-opt"), [optimization, ...enabled, wasmOf(name), "-o", wasmOf(name)]);
  check(name, readFileSync(wasmOf(name)), hasDecoders);
}

async function run(command, args, options) {
  const { code } = await streamed(command, args, options);
  if (code !== 0) throw new Fault("the build failed, see above");
}

/** Returns what `worker-build` has to find in its environment. */
export function buildEnv() {
  return {
    WASM_BINDGEN_BIN: cargoBin("wasm-bindgen"),
    ESBUILD_BIN: npmBin("esbuild"),
    // They would replace the flags of .cargo/config.toml, memory limit included.
    RUSTFLAGS: undefined,
    CARGO_ENCODED_RUSTFLAGS: undefined,
  };
}

/** The same scan that finds no decoder in the edge finds all of them in the origin. */
function checkDecoders(name, found, expected) {
  if (expected && found.length < FORMATS.length) throw new Fault(`the wasm of the ${name} has only these decoders: ${found.join(", ")}`);
  if (!expected && found.length > 0) throw new Fault(`the wasm of the ${name} has decoders: ${found.join(", ")}`);
}

function check(name, bytes, hasDecoders) {
  const { maxPages, simd } = inspect(bytes);
  const gzipped = gzipSync(bytes, { level: 9 }).length;
  console.log(`build: ${name} ${kib(bytes.length)}, gzipped ${kib(gzipped)}, memory at most ${maxPages} pages, simd ${simd}`);
  if (maxPages !== MAX_PAGES) throw new Fault(`the wasm's memory is limited to ${maxPages} pages, not ${MAX_PAGES}`);
  if (bytes.includes(POISON)) throw new Fault("the wasm has the fault that only a test may have");
  if (hasDecoders && !simd) throw new Fault("the wasm uses no simd instructions; are the rustflags of .cargo/config.toml in effect?");
  if (gzipped > MAX_GZIP_BYTES) throw new Fault(`the wasm of the ${name} has ${gzipped} bytes gzipped, more than ${MAX_GZIP_BYTES}`);
}

const kib = (bytes) => `${(bytes / 1024).toFixed(0)} KiB`;

if (realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) await program(() => setup().then(build));
