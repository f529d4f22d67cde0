//! Variables of the configuration that stand in the environment of `npm start`: they count for that run alone.

import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { inRoot } from "./paths.mjs";
import { Fault } from "./run.mjs";

/** The names of all variables, from the page that is made of the code's table. */
export function variableNames() {
  const page = readFileSync(inRoot("src", "docs", "configuration.md"), "utf8");
  return [...page.matchAll(/^\| `([A-Z_]+)` \|/gm)].map(([, name]) => name);
}

/** Returns an env file with those variables of the configuration that `env` has, and says their names. */
export function writeRunVars(env = process.env, folder = inRoot(".wrangler")) {
  const file = join(folder, "run.vars");
  const given = variableNames().filter((name) => env[name] !== undefined);
  mkdirSync(folder, { recursive: true });
  writeFileSync(file, given.map((name) => `${name}=${quoted(name, env[name])}\n`).join(""), { mode: 0o600 });
  if (given.length > 0) console.log(`from the environment, for this run: ${given.join(", ")}`);
  return file;
}

/** Values in env files have quotes around them and no way to write the same quote inside; `$` begins a name. */
function quoted(name, value) {
  const quote = ["'", '"', "`"].find((quote) => !value.includes(quote));
  if (!quote || /[\r\n]/.test(value)) throw new Fault(`${name} has a line break, or all three kinds of quotes. Put it into .dev.vars`);
  return quote + value.replaceAll("$", "\\$") + quote;
}
