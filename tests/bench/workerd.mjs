//! Runs our wasm in workerd, and takes its CPU time from the kernel: its own clock stands still while code runs.

import { spawn } from "node:child_process";
import { copyFileSync, readFileSync, readdirSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { inRoot } from "../../src/tools/paths.mjs";
import { Fault } from "../../src/tools/run.mjs";
import { median } from "./figures.mjs";
import { CHUNK_BYTES, variant } from "./implementations.mjs";

/** Where workerd says which port it listens at. */
const CONTROL_FD = 3;
const NS_PER_MS = 1e6;

/** Returns for each file what the first thumbnail of a new process takes, and the median of later ones. */
export async function measureInWorkerd({ files, module, calls }) {
  if (process.platform !== "linux") throw new Fault("--workerd reads CPU times from /proc, which only Linux has");
  const config = configure(dirname(module));
  const rows = [];
  for (const file of files) {
    rows.push({ file, ...(await cell(config, readFileSync(file), calls)) });
    process.stdout.write(".");
  }
  process.stdout.write("\n");
  return rows;
}

/** Writes the configuration next to the module, for it can only embed what lies below it. */
function configure(folder) {
  copyFileSync(fileURLToPath(new URL("worker.js", import.meta.url)), join(folder, "worker.js"));
  const [, date] = readFileSync(inRoot("wrangler.toml"), "utf8").match(/^compatibility_date = "(.*)"$/m);
  const path = join(folder, "config.capnp");
  writeFileSync(
    path,
    `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [(name = "bench", worker = (
    compatibilityDate = "${date}",
    modules = [
      (name = "worker.js", esModule = embed "worker.js"),
      (name = "bench.js", esModule = embed "bench.js"),
      (name = "bench_bg.wasm", wasm = embed "bench_bg.wasm"),
    ],
    bindings = [
      (name = "options", text = ${JSON.stringify(JSON.stringify(variant("jpeg")))}),
      (name = "chunkBytes", json = "${CHUNK_BYTES}"),
    ],
  ))],
  sockets = [(name = "http", address = "127.0.0.1:0", http = (), service = "bench")],
);
`,
  );
  return path;
}

/** Measures one file in a process of its own, whose isolate is new. */
async function cell(config, picture, calls) {
  const workerd = createRequire(inRoot("package.json"))("workerd").default;
  const stdio = ["ignore", "inherit", "inherit", "pipe"];
  const child = spawn(workerd, ["serve", config, `--control-fd=${CONTROL_FD}`], { stdio });
  try {
    const url = `http://127.0.0.1:${await listening(child)}/`;
    await ask(url, { method: "PUT", body: picture });
    const times = [];
    for (let call = 0; call <= calls; call++) {
      const from = cpuMs(child.pid);
      await ask(url, { method: "POST" });
      times.push(cpuMs(child.pid) - from);
    }
    const [first, ...warm] = times;
    return { first_ms: first, cpu_ms: median(warm), calls: warm.length };
  } finally {
    child.kill();
  }
}

/** Returns the port once there is one. */
function listening(child) {
  return new Promise((resolve, reject) => {
    child.stdio[CONTROL_FD].setEncoding("utf8").once("data", (line) => resolve(JSON.parse(line).port));
    child.once("exit", (code) => reject(new Fault(`workerd ended with ${code} before it listened`)));
    child.once("error", reject);
  });
}

async function ask(url, request) {
  const response = await fetch(url, request);
  const body = await response.arrayBuffer();
  if (!response.ok) throw new Fault(`workerd answered ${response.status}: ${Buffer.from(body)}`);
}

/** Returns what all threads of a process have run, compilers included. */
function cpuMs(pid) {
  const tasks = readdirSync(`/proc/${pid}/task`);
  const ran = tasks.map((task) => Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, "utf8").split(" ")[0]));
  return ran.reduce((sum, ns) => sum + ns, 0) / NS_PER_MS;
}
