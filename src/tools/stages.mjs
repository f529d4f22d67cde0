//! The stages of `npm test`, cheapest first. Each returns how many checks passed and failed.

import { readdirSync } from "node:fs";
import { ensureChromium } from "../../tests/browser/chromium.mjs";
import { buildPoison } from "../../tests/poison/build.mjs";
import { build } from "./build.mjs";
import { inRoot, nodeBin } from "./paths.mjs";
import { ensurePython } from "./python.mjs";
import { capture, streamed } from "./run.mjs";

const TARGET = "wasm32-unknown-unknown";
/** What neither package may know: whoever uses them brings the platform. The pipeline knows no core either. */
const FOREIGN = { "thumbnail-core": /\b(worker|js-sys|wasm-bindgen|tokio) v/g, "thumbnail-pipeline": /\b(worker|js-sys|wasm-bindgen|tokio|thumbnail-core) v/g };
/** The example of the pipeline's README, unoptimized. */
const EXAMPLE = ["run", "--locked", "-p", "thumbnail-pipeline", "--example", "thumbnail", "--", inRoot("tests", "images", "photo.jpg"), inRoot("target", "thumbnail.jpg"), "--size", "300x200"];

export const stages = [
  { name: "format", run: () => oneCheck("cargo", ["fmt", "--all", "--check"]) },
  { name: "lints", run: () => oneCheck("cargo", ["clippy", "--workspace", "--all-targets", "--locked", "--", "-D", "warnings"]) },
  ...Object.keys(FOREIGN).map((name) => ({ name: `dependencies of ${name}`, run: () => knowsNoPlatform(name) })),
  ...["edge", "origin"].map((name) => ({ name: `features of ${name}`, run: () => decodes(name, name === "origin") })),
  { name: "native tests", run: () => cargoTest(["--workspace"]) },
  { name: "example", run: () => oneCheck("cargo", EXAMPLE) },
  { name: "documentation", run: () => oneCheck("cargo", ["doc", "--locked", "--no-deps", "-p", "thumbnail-pipeline", "-p", "thumbnail-core"], { env: { RUSTDOCFLAGS: "-D warnings" } }) },
  { name: "package", run: () => oneCheck("cargo", ["package", "--locked", "--allow-dirty", "--no-verify", "-p", "thumbnail-pipeline"]) },
  { name: "packages in wasm", run: packagesInWasm },
  { name: "release build", run: () => build().then(() => ({ passed: 1, failed: 0 })), times: "build" },
  { name: "worker specs", run: () => nodeTests("worker", ".spec.mjs"), needs: "release build" },
  { name: "chromium", run: () => ensureChromium().then(() => ({ passed: 1, failed: 0 })), times: "set-up" },
  { name: "browser", run: () => nodeTests("browser", ".spec.mjs"), needs: "chromium" },
  { name: "soak", run: () => oneCheck(nodeBin(), [inRoot("tests", "soak", "soak.mjs"), "--uploads", "100", "--kills", "5"]), needs: "release build" },
  { name: "burst", run: () => oneCheck(nodeBin(), [inRoot("tests", "soak", "soak.mjs"), "--burst", "--short"]), needs: "release build" },
  { name: "poison build", run: () => buildPoison().then(() => ({ passed: 1, failed: 0 })), times: "build" },
  { name: "poison", run: () => nodeTests("poison", ".spec.mjs"), needs: "poison build" },
  { name: "python packages", run: () => ensurePython().then(() => ({ passed: 1, failed: 0 })), times: "set-up" },
  { name: "contract", run: () => nodeTests("contract", ".spec.mjs"), needs: "release build" },
  { name: "transcripts", run: () => nodeTests("transcripts", ".spec.mjs"), needs: "release build" },
];

async function oneCheck(command, args, options) {
  const { code } = await streamed(command, args, options);
  return code === 0 ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 };
}

async function knowsNoPlatform(name) {
  const args = ["tree", "-p", name, "--edges", "normal,build", "--target", TARGET, "--locked"];
  const { code, output } = await capture("cargo", args);
  const foreign = [...output.matchAll(FOREIGN[name])].map(([, dependency]) => dependency);
  if (code === 0 && foreign.length === 0) return { passed: 1, failed: 0 };
  console.error(output);
  if (foreign.length > 0) console.error(`${name} depends on ${[...new Set(foreign)].join(", ")}`);
  return { passed: 0, failed: 1 };
}

/** Whether the build of a Worker has the feature that brings the decoders. */
async function decodes(worker, expected) {
  const args = ["tree", "-p", "edge-thumbnails", "--no-default-features", "--features", worker, "--edges", "normal,build", "--format", "{p} [{f}]", "--target", TARGET, "--locked"];
  const { code, output } = await capture("cargo", args);
  const found = /thumbnail-pipeline .*\[.*\bdecode\b/.test(output);
  if (code === 0 && found === expected) return { passed: 1, failed: 0 };
  console.error(`${output}\nthe ${worker} ${found ? "has" : "does not have"} the decoders`);
  return { passed: 0, failed: 1 };
}

async function cargoTest(args) {
  const { code, output } = await streamed("cargo", ["test", "--locked", "--no-fail-fast", ...args]);
  const sums = { passed: 0, failed: 0 };
  for (const [, passed, failed] of output.matchAll(/^test result: \w+\. (\d+) passed; (\d+) failed/gm)) {
    sums.passed += Number(passed);
    sums.failed += Number(failed);
  }
  return orOneFailure(code, sums);
}

/** Runs both packages' unit tests and the golden thumbnails as the wasm that ships; see wasm-tests.mjs. They count as one check. */
function packagesInWasm() {
  const runner = JSON.stringify([nodeBin(), inRoot("src", "tools", "wasm-tests.mjs")]);
  const args = ["test", "--locked", "-p", "thumbnail-core", "-p", "thumbnail-pipeline", "--features", "heic", "--lib", "--test", "golden", "--target", TARGET];
  return oneCheck("cargo", [...args, "--config", `target.${TARGET}.runner=${runner}`]);
}

async function nodeTests(folder, ending) {
  const files = readdirSync(inRoot("tests", folder)).filter((name) => name.endsWith(ending)).sort();
  const args = ["--test", "--test-reporter=spec", "--test-concurrency=1"];
  const { code, output } = await streamed(nodeBin(), [...args, ...files.map((name) => inRoot("tests", folder, name))]);
  const count = (word) => Number(new RegExp(`^ℹ ${word} (\\d+)`, "m").exec(output)?.[1] ?? 0);
  return orOneFailure(code, { passed: count("pass"), failed: count("fail") + count("cancelled") });
}

/** A command that failed without saying which check did is one failure. */
function orOneFailure(code, { passed, failed }) {
  return code !== 0 && failed === 0 ? { passed, failed: 1 } : { passed, failed };
}
