//! One cell of the table, in a process of its own: one implementation, one file, several calls.
//! Takes a job as JSON, prints figures as JSON.

import { readFileSync } from "node:fs";
import { loadOurs, peers } from "./implementations.mjs";
import { median } from "./figures.mjs";

const MIB = 1 << 20;
// Slow implementations get fewer calls: their figures are steady anyway.
const ENOUGH_MS = 4_000;
const MIN_CALLS = 3;

const { implementation, file, module, calls } = JSON.parse(process.argv[2]);
const memories = watchMemories();
const picture = readFileSync(file);
const cpuMs = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};

let from = cpuMs();
const run = module ? loadOurs(module) : await peers[implementation].load();
const loadMs = cpuMs() - from;
const rssBefore = process.memoryUsage.rss();

try {
  const times = [];
  let first;
  let bytes;
  for (let spent = 0; times.length < calls && (spent < ENOUGH_MS || times.length < MIN_CALLS); ) {
    from = cpuMs();
    bytes = (await run(picture)).byteLength;
    const ms = cpuMs() - from;
    if (first === undefined) {
      first = ms;
      continue;
    }
    times.push(ms);
    spent += ms;
  }
  report({ cpu_ms: median(times), first_ms: first, load_ms: loadMs, calls: times.length, bytes });
} catch (error) {
  report({ error: String(error?.message ?? error) });
}
// The threads of wasm-vips would keep the process.
process.exit(0);

function report(figures) {
  const wasm = [...memories].reduce((sum, memory) => sum + memory.buffer.byteLength, 0) / MIB;
  // Native memory can only be told from the process: what it grew by at its largest.
  const grown = Math.max(0, process.resourceUsage().maxRSS / 1024 - rssBefore / MIB);
  const memory = wasm > 0 ? { wasm_mib: wasm } : { rss_delta_mib: grown };
  process.stdout.write(JSON.stringify({ ...figures, ...memory }));
}

/** Collects every memory that a wasm module makes or is given from now on; they never shrink. */
function watchMemories() {
  const found = new Set();
  const { Instance, Memory, instantiate } = WebAssembly;
  const take = (instance) => {
    for (const value of Object.values(instance.exports)) if (value instanceof Memory) found.add(value);
  };
  WebAssembly.Instance = function (...args) {
    const instance = new Instance(...args);
    take(instance);
    return instance;
  };
  WebAssembly.Instance.prototype = Instance.prototype;
  WebAssembly.Memory = function (...args) {
    const memory = new Memory(...args);
    found.add(memory);
    return memory;
  };
  WebAssembly.Memory.prototype = Memory.prototype;
  WebAssembly.instantiate = async (...args) => {
    const result = await instantiate(...args);
    take(result.instance ?? result);
    return result;
  };
  return found;
}
