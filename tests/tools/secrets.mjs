//! Secrets for development, in `.dev.vars`: read by `wrangler dev`, ignored by git, never printed.

import { randomBytes } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { inRoot } from "./paths.mjs";

const FILE = inRoot(".dev.vars");
const SECRET_BYTES = 32;

/** Makes the secrets that are missing. Those that are there stay. */
export function ensureSecrets() {
  const text = existsSync(FILE) ? readFileSync(FILE, "utf8") : "";
  if (/^\s*WEBHOOK_SECRET\s*=/m.test(text)) return;
  const secret = `whsec_${randomBytes(SECRET_BYTES).toString("base64")}`;
  const lines = text === "" || text.endsWith("\n") ? text : `${text}\n`;
  writeFileSync(FILE, `${lines}WEBHOOK_SECRET="${secret}"\n`, { mode: 0o600 });
  console.log("made a secret for webhooks, in .dev.vars");
}
