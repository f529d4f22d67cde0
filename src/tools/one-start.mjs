//! Two `npm start` in one folder would share what is stored there, and spoil it.

import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { inRoot } from "./paths.mjs";
import { Fault } from "./run.mjs";

/** Takes the folder for this process until it exits, or throws a Fault that says who has it. */
export function claimFolder(port, folder = inRoot(".wrangler")) {
  const file = join(folder, "start.pid");
  mkdirSync(folder, { recursive: true });
  try {
    writeFileSync(file, `${process.pid} ${port}\n`, { flag: "wx" });
  } catch (error) {
    if (error.code !== "EEXIST") throw error;
    const [pid, theirs] = readFileSync(file, "utf8").split(/\s/).map(Number);
    if (runs(pid)) {
      throw new Fault(
        `\`npm start\` runs in this folder already, on port ${theirs} (process ${pid}). Stop it first, or start another clone. ` +
          `If that process is something else, delete ${file}`,
      );
    }
    writeFileSync(file, `${process.pid} ${port}\n`);
  }
  process.on("exit", () => rmSync(file, { force: true }));
}

function runs(pid) {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    // Somebody else's process is one, too.
    return error.code === "EPERM";
  }
}
