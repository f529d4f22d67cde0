//! What `npm start` adds to the configuration, in `.dev.vars`: a secret and defaults for development, to be edited.
//! Git ignores the file, and nothing prints what is in it.

import { randomBytes } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { inRoot } from "./paths.mjs";

/** The file. */
export const DEV_VARS = inRoot(".dev.vars");
const SECRET_BYTES = 32;

/** Variables that differ from a deployment's: a name, its value, and why. */
export const DEV_DEFAULTS = [
  ["LISTING", "1", "GET /thumbnails lists the jobs."],
  ["VARIANTS_LATER", "any", "Everybody may ask for another size of an image."],
  ["ALLOW_INSECURE_WEBHOOKS", "1", "Receivers of webhooks may be on this machine."],
  [
    "LEASE_SECS",
    "30",
    "Ctrl-C ends attempts halfway; their jobs wait this long after the restart. No attempt takes longer than MAX_WORK_MS.",
  ],
];

/** Returns the names of the variables in the file. */
export function devVarNames(file = DEV_VARS) {
  return [...contents(file).matchAll(/^\s*(?:export\s+)?([A-Z_]+)\s*[=:]/gm)].map(([, name]) => name);
}

/** Adds what is missing to the file. What is there stays as it is. */
export function ensureDevVars(file = DEV_VARS) {
  const text = contents(file);
  const names = devVarNames(file);
  const has = (name) => names.includes(name);
  const absent = DEV_DEFAULTS.filter(([name]) => !has(name));
  const missing = absent.map(([name, value, why]) => `# ${why}\n${name}="${value}"\n`);
  if (!has("WEBHOOK_SECRET")) {
    const secret = `whsec_${randomBytes(SECRET_BYTES).toString("base64")}`;
    missing.push(`# What webhooks are signed with here.\nWEBHOOK_SECRET="${secret}"\n`);
    console.log("made a secret for webhooks, in .dev.vars");
  }
  if (missing.length === 0) return;
  const before = text === "" || text.endsWith("\n") ? text : `${text}\n`;
  writeFileSync(file, before + missing.join(""), { mode: 0o600 });
}

const contents = (file) => (existsSync(file) ? readFileSync(file, "utf8") : "");
