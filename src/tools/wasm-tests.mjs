//! Cargo's runner for the unit tests of the core as wasm32: all of them, in Node, with the memory limit and the
//! simd of the shipped wasm.
//!
//! std has no stdout on this target, so a passing run is silent. A failing test traps, and the stack names it.

import { readFileSync } from "node:fs";

const [, , path] = process.argv;
Error.stackTraceLimit = 100;
const { instance } = await WebAssembly.instantiate(readFileSync(path), {});
try {
  process.exitCode = instance.exports.main(0, 0);
} catch (error) {
  console.error(`${error.message} in wasm32 (run the test natively for its message):`);
  console.error(error.stack.match(/[\w$.]*tests[\w$.]*/g)?.join("\n") ?? error.stack);
  process.exitCode = 1;
}
