//! Remembers what a step was last done for, so that a step that has nothing to do takes no time.

import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { inRoot } from "./paths.mjs";

/** Returns a hash over texts and over the contents of files and folders, named relative to the project. */
export function fingerprint({ files = [], texts = [] }) {
  const hash = createHash("sha256");
  for (const text of texts) hash.update(`${text}\0`);
  for (const name of files.flatMap(filesUnder)) hash.update(`${name}\0`).update(readFileSync(inRoot(name)));
  return hash.digest("hex");
}

/** Tells whether the stamp at `path` holds `value`. */
export function isStamped(path, value) {
  try {
    return readFileSync(path, "utf8") === value;
  } catch {
    return false;
  }
}

/** Writes the stamp at `path`. */
export function stamp(path, value) {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, value);
}

function filesUnder(name) {
  if (!statSync(inRoot(name)).isDirectory()) return [name];
  return readdirSync(inRoot(name)).sort().flatMap((entry) => filesUnder(join(name, entry)));
}
