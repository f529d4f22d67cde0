//! Runs child processes: quietly with progress, or streamed; and ends a program with a sentence instead of a stack.

import { spawn } from "node:child_process";
import { environment, root } from "./paths.mjs";

const PROGRESS_EVERY_MS = 5_000;
const KEPT_OUTPUT = 64 * 1024;

/** A failure that is explained to the user by its message alone. */
export class Fault extends Error {}

/** Runs `main` and turns whatever it throws into an exit code. */
export async function program(main) {
  try {
    process.exitCode = (await main()) ?? 0;
  } catch (error) {
    console.error(error instanceof Fault ? `\nerror: ${error.message}` : error);
    process.exitCode = 1;
  }
}

/** Runs a command and returns `{ code, output }`; never throws for a non-zero code. */
export function capture(command, args, { env, onLine, input = "ignore", cwd = root } = {}) {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd, env: environment(env), stdio: [input, "pipe", "pipe"] });
    let output = "";
    let line = "";
    const take = (chunk) => {
      output = (output + chunk).slice(-KEPT_OUTPUT);
      const lines = (line + chunk).split(/[\r\n]+/);
      line = lines.pop();
      for (const complete of lines) if (complete.trim() !== "") onLine?.(complete);
    };
    child.stdout.setEncoding("utf8").on("data", take);
    child.stderr.setEncoding("utf8").on("data", take);
    child.on("error", (error) => resolve({ code: 127, output: error.message }));
    child.on("close", (code, signal) => {
      if (line.trim() !== "") onLine?.(line);
      resolve({ code: code ?? 1, output: signal ? `${output}\nended by ${signal}` : output });
    });
  });
}

/** Runs a long step: its last line of output every few seconds, all of its output only where it fails. */
export async function step(label, command, args, { env, advice } = {}) {
  const started = Date.now();
  let last = "starting";
  const timer = setInterval(() => console.log(`  ${label}: ${seconds(started)}: ${last.trim()}`), PROGRESS_EVERY_MS);
  const { code, output } = await capture(command, args, { env, onLine: (line) => (last = line) });
  clearInterval(timer);
  if (code !== 0) {
    console.error(output);
    throw new Fault(`${label} failed (output above). ${advice?.(output) ?? ""}`.trim());
  }
  console.log(`  ${label}: done in ${seconds(started)}`);
}

/** Runs a command with its output passed through as it comes, and returns `{ code, output }`. */
export const streamed = (command, args, options = {}) =>
  capture(command, args, { ...options, onLine: (line) => console.log(line) });

/** Returns the seconds since `started` as text. */
export const seconds = (started) => `${((Date.now() - started) / 1000).toFixed(1)} s`;
