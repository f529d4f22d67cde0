//! Installs the npm packages of the lock file.

import { readFileSync } from "node:fs";
import { inRoot } from "./paths.mjs";
import { step } from "./run.mjs";
import { fingerprint, isStamped, stamp } from "./stamp.mjs";

/** Installs what the lock file says unless node_modules already holds it. */
export async function ensurePackages() {
  const path = inRoot("node_modules", ".stamp");
  const wanted = fingerprint({
    files: ["package-lock.json"],
    // Only the versions count: a changed script in package.json needs no new install.
    texts: [JSON.stringify(versions()), process.platform, process.arch],
  });
  if (isStamped(path, wanted)) return;
  // No package needs its install script: their binaries come as optional packages of the lock file.
  // `npm ci` would refuse a lock file that lacks the binary of a foreign platform which the registry did not have.
  const args = ["install", "--no-save", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"];
  await step("npm install", "npm", args, {
    advice: () => "Check that npm reaches its registry (`npm ping`), then run the command again.",
  });
  stamp(path, wanted);
}

function versions() {
  const { devDependencies, optionalDependencies } = JSON.parse(readFileSync(inRoot("package.json"), "utf8"));
  return { devDependencies, optionalDependencies };
}
