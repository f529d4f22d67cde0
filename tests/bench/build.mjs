//! Builds the image pipeline alone with the Worker's settings, for Node, under a given cap of its memory.

import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { cargoBin, inRoot, npmBin } from "../../src/tools/paths.mjs";
import { Fault, capture, step } from "../../src/tools/run.mjs";
import { fingerprint, isStamped, stamp } from "../../src/tools/stamp.mjs";
import { inspect } from "../../src/tools/wasm.mjs";

const PAGES_PER_MIB = 16;
const TARGET = "wasm32-unknown-unknown";
/** The cap of the Worker, from .cargo/config.toml. */
export const SHIPPED_CAP_MIB = 96;

/** What the module is for: CommonJS for Node, an ES module that is handed its wasm for workerd. */
const GLUE = { node: "nodejs", workerd: "web" };

/** Returns the path of a module with `Session` whose memory ends at `capMib`, for `node` or `workerd`. */
export async function buildWasm(capMib, runtime = "node") {
  const targetDir = inRoot("target", "bench");
  const out = inRoot("target", "bench", `${runtime}-${capMib}`);
  const built = inRoot("target", "bench", TARGET, "release", "bench.wasm");
  await compile(capMib, targetDir);
  const wanted = fingerprint({ files: ["target/bench/wasm32-unknown-unknown/release/bench.wasm"] });
  if (!isStamped(`${out}/.stamp`, wanted)) {
    mkdirSync(out, { recursive: true });
    const bindgen = ["--target", GLUE[runtime], "--no-typescript", "--out-dir", out, built];
    await step("wasm-bindgen", cargoBin("wasm-bindgen"), bindgen);
    const wasm = `${out}/bench_bg.wasm`;
    // As for the origin.
    await step("wasm-opt", npmBin("wasm-opt"), ["-O3", wasm, "-o", wasm]);
    // The project's packages are ES modules, what wasm-bindgen writes for Node is not.
    if (runtime === "node") writeFileSync(`${out}/package.json`, '{ "type": "commonjs" }\n');
    stamp(`${out}/.stamp`, wanted);
  }
  const { maxPages, simd } = inspect(readFileSync(`${out}/bench_bg.wasm`));
  if (maxPages !== capMib * PAGES_PER_MIB || !simd) {
    throw new Fault(`the wasm has simd ${simd} and at most ${maxPages} pages, not ${capMib * PAGES_PER_MIB}`);
  }
  return `${out}/bench.js`;
}

async function compile(capMib, targetDir) {
  // The cap is an argument of the last crate alone, so that another cap builds nothing else anew.
  const manifest = inRoot("tests", "bench", "wasm", "Cargo.toml");
  // Cargo takes out what the benchmark does not use: the versions are the Worker's, whatever it depends on by now.
  copyFileSync(inRoot("Cargo.lock"), inRoot("tests", "bench", "wasm", "Cargo.lock"));
  const args = ["rustc", "--release", "--target", TARGET, "--target-dir", targetDir];
  args.push("--manifest-path", manifest, "--", `-Clink-arg=--max-memory=${capMib << 20}`);
  const env = {
    // They replace those of .cargo/config.toml, which fix the cap.
    RUSTFLAGS: "-Ctarget-feature=+simd128",
    CARGO_ENCODED_RUSTFLAGS: undefined,
  };
  const { code } = await capture("cargo", ["--version"]);
  if (code !== 0) throw new Fault("Rust is missing; `npm run setup` tells how to get it");
  await step(`cargo build, memory at most ${capMib} MiB`, "cargo", args, { env });
}
