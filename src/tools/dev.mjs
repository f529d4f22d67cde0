//! Runs both Workers in `wrangler dev` and takes all of its processes down again.

import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { createServer } from "node:net";
import { devNull } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { bothWorkers, environment, root, wrangler } from "./paths.mjs";
import { Fault } from "./run.mjs";

const HOST = "127.0.0.1";
const READY_WITHIN_MS = 60_000;
const STOP_WITHIN_MS = 5_000;
const DEFAULT_PORT = 8787;
const LAST_PORT = 65_535;

/** Returns the port that PORT names, or throws a Fault. */
export function portFrom(text) {
  if (text === undefined || text === "") return DEFAULT_PORT;
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (port < 1 || port > LAST_PORT) throw new Fault(`PORT must be a number from 1 to ${LAST_PORT}, not "${text}". For example: PORT=8788 npm start`);
  return port;
}

/** Returns a port that nobody listens on. */
export async function freePort() {
  const server = createServer().listen(0, HOST);
  await once(server, "listening");
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Throws a Fault where another program has the port. */
export async function claimPort(port) {
  const server = createServer().listen(port, HOST);
  await once(server, "listening").catch((error) => {
    const why = { EADDRINUSE: "another program has it", EACCES: "it takes more rights" }[error.code] ?? error.code;
    throw new Fault(`Port ${port} cannot be used: ${why}. Take another one: PORT=${port === 8788 ? 8789 : 8788} npm start`);
  });
  await new Promise((resolve) => server.close(resolve));
}

/**
 * Starts `wrangler dev` and waits until it answers.
 * Returns `{ url, exited, stop, kill }`: `kill` gives the processes no chance to finish anything. `state` names a folder for what the Workers store,
 * .wrangler/state by default; `envFiles` have further variables, of which the last counts: none by default, as what somebody has in .dev.vars is not
 * for tests.
 */
export async function startDev({ port, state, vars = {}, envFiles = [devNull], env = {}, onOutput = (text) => process.stdout.write(text) }) {
  const args = ["dev", ...bothWorkers, "--ip", HOST, "--port", String(port), "--inspector-port", "0"];
  args.push("--show-interactive-dev-session=false");
  if (state) args.push("--persist-to", state);
  for (const file of envFiles) args.push("--env-file", file);
  for (const [name, value] of Object.entries(vars)) args.push("--var", `${name}:${value}`);
  // Otherwise a `npm start` beside this would share its Workers of the same names.
  const apart = state ? { WRANGLER_REGISTRY_PATH: join(state, "registry") } : {};
  const [command, line] = wrangler(...args);
  // A process group of its own: Ctrl-C reaches only us, and one signal to the group reaches workerd too.
  const child = spawn(command, line, {
    cwd: root,
    env: environment({ ...apart, ...env }),
    stdio: ["ignore", "pipe", "pipe"],
    detached: true,
  });
  child.stdout.setEncoding("utf8").on("data", onOutput);
  child.stderr.setEncoding("utf8").on("data", onOutput);
  const exited = new Promise((resolve) => child.on("exit", resolve).on("error", resolve));
  const stop = () => stopGroup(child, exited);
  const url = `http://${HOST}:${port}`;
  try {
    await Promise.race([
      answers(`${url}/healthz`),
      exited.then(() => Promise.reject(new Fault("`wrangler dev` ended before it was ready, see its output above"))),
    ]);
  } catch (error) {
    await stop();
    throw error;
  }
  return { url, exited, stop, kill: () => killTree(child) };
}

async function answers(url) {
  const deadline = Date.now() + READY_WITHIN_MS;
  while (Date.now() < deadline) {
    const response = await fetch(url).catch(() => undefined);
    if (response?.ok) return;
    await sleep(100);
  }
  throw new Fault(`${url} did not answer within ${READY_WITHIN_MS / 1000} s`);
}

async function stopGroup(child, exited) {
  const all = tree(child.pid);
  signal([-child.pid], "SIGTERM");
  await Promise.race([exited, sleep(STOP_WITHIN_MS, undefined, { ref: false })]);
  signal(all, "SIGKILL");
  await exited;
}

/** Wrangler puts what it starts into groups of their own, and workerd outlives a parent that is killed for as long as it is busy. */
const killTree = (child) => signal(tree(child.pid), "SIGKILL");

/** Returns the ids of a process and of all that come from it. */
function tree(root) {
  const all = processes();
  const found = [root];
  for (const parent of found) found.push(...all.filter(([, of]) => of === parent).map(([pid]) => pid));
  return found;
}

/** Returns the ids of all processes, each with its parent's. Linux tells without `ps`, which small images lack. */
function processes() {
  if (!existsSync("/proc/self/stat")) {
    const { stdout } = spawnSync("ps", ["-A", "-o", "pid=", "-o", "ppid="], { encoding: "utf8" });
    return stdout.trim().split("\n").map((line) => line.trim().split(/\s+/).map(Number));
  }
  const pids = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  return pids.map((pid) => [Number(pid), parentOf(pid)]);
}

function parentOf(pid) {
  try {
    // The name stands in parentheses, and may have any of its own.
    const [, parent] = readFileSync(`/proc/${pid}/stat`, "utf8").split(")").pop().trim().split(" ");
    return Number(parent);
  } catch {
    // It has ended meanwhile.
    return undefined;
  }
}

function signal(pids, name) {
  for (const pid of pids) {
    try {
      process.kill(pid, name);
    } catch {
      // It is gone already.
    }
  }
}
