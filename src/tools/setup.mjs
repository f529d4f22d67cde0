//! Gets everything that the other commands need. Runs before node_modules exists, so it imports only Node's own modules.

import { realpathSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { ensurePackages } from "./packages.mjs";
import { Fault, program, seconds } from "./run.mjs";
import { ensureCommands, ensureRust } from "./rust.mjs";

const MIN_NODE = 20;

/** Brings the machine to where the project builds; quick when there is nothing to do. */
export async function setup() {
  const started = Date.now();
  if (Number(process.versions.node.split(".")[0]) < MIN_NODE) {
    throw new Fault(`Node ${process.versions.node} is too old, ${MIN_NODE} or newer is needed (https://nodejs.org).`);
  }
  // Settled, not all: the reason of a failure comes last, after the steps that still run.
  const done = await Promise.allSettled([ensurePackages(), ensureRust().then(ensureCommands)]);
  const failed = done.find(({ status }) => status === "rejected");
  if (failed) throw failed.reason;
  console.log(`set-up: ready in ${seconds(started)}`);
}

if (realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) await program(setup);
