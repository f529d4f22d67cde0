//! Reads and runs a transcript: commands as people type them, and what must come back.
//!
//! `# text`           begins an exchange, and names it
//! `$ command`        runs in bash; `curl` is silent and has a time limit
//! `$* command`       the same, again and again until what follows is so
//! `< 200`            the status of the last response
//! `< name: pattern`  a header of it; `< !name` for one that must not be there
//! `. path = pattern` a member of its JSON body (`jobs.0.id`, `jobs.length`); `. !path` likewise
//! `= pattern`        what the command itself printed
//!
//! In a pattern `*` stands for anything and `{name}` for a text without spaces: the same one wherever that
//! name comes again, and `$name` in the commands that follow.

import assert from "node:assert/strict";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { capture } from "../../src/tools/run.mjs";

const DEADLINE_MS = 30_000;
const PAUSE_MS = 100;
const FILES = { heads: "heads.txt", body: "body" };
const PRELUDE = `curl() { command curl --no-progress-meter --max-time 30 --verbose --dump-header ${FILES.heads} --output ${FILES.body} "$@"; }`;

/** Returns the exchanges of a transcript: `[{ name, steps: [{ command, again, expected: [line] }] }]`. */
export function parse(text) {
  const exchanges = [];
  for (const [index, line] of text.split("\n").entries()) {
    const [, sign, rest] = /^(#|\$\*|\$|<|\.|=) (.*)$/.exec(line) ?? [];
    const exchange = exchanges.at(-1);
    if (line.trim() === "") continue;
    else if (sign === "#") exchanges.push({ name: rest, steps: [] });
    else if (sign?.startsWith("$")) exchange.steps.push({ command: rest, again: sign === "$*", expected: [] });
    else if (sign) exchange.steps.at(-1).expected.push({ sign, rest });
    else throw new Error(`line ${index + 1} is no line of a transcript: ${line}`);
  }
  return exchanges;
}

/** Runs one step in a folder; `names` holds what was captured so far, and `print` is given what went over the wire. */
export async function run(step, { folder, names, print }) {
  const deadline = Date.now() + DEADLINE_MS;
  for (;;) {
    const answer = await type(step.command, folder, names);
    const captured = new Map(names);
    try {
      for (const expectation of step.expected) check(expectation, answer, captured);
    } catch (error) {
      if (step.again && Date.now() < deadline) {
        await sleep(PAUSE_MS);
        continue;
      }
      print(answer.wire);
      throw error;
    }
    print(answer.wire);
    for (const [name, value] of captured) names.set(name, value);
    return;
  }
}

async function type(command, folder, names) {
  for (const file of Object.values(FILES)) rmSync(join(folder, file), { force: true });
  const line = `${PRELUDE}\n${command}`;
  const { code, output } = await capture("bash", ["-uo", "pipefail", "-c", line], { cwd: folder, env: Object.fromEntries(names) });
  const wire = output.split("\n").filter((text) => /^[<>] ./.test(text)).map((text) => text.trimEnd());
  const printed = output.split("\n").filter((text) => text !== "" && !/^[<>*{}] ?/.test(text));
  return { code, wire: [`$ ${command}`, ...wire].join("\n"), printed: printed.join("\n"), ...response(folder), output };
}

function response(folder) {
  const path = join(folder, FILES.heads);
  if (!existsSync(path)) return { headers: new Headers(), text: "" };
  // The last of several: repeats, redirects and interim answers come before it.
  const head = readFileSync(path, "latin1").trim().split("\r\n\r\n").at(-1).split("\r\n");
  const headers = new Headers(head.slice(1).map((line) => line.split(/: ?(.*)/s).slice(0, 2)));
  const body = join(folder, FILES.body);
  return { status: head[0].split(" ")[1], headers, text: existsSync(body) ? readFileSync(body, "utf8") : "" };
}

function check({ sign, rest }, answer, captured) {
  if (sign === "=") return match(rest, answer.printed, captured, "what it printed");
  if (sign === "<" && /^\d+$/.test(rest)) return assert.equal(answer.status, rest, answer.output);
  const [, absent, name, , pattern] = /^(!?)([^\s:=]+)( =|:)? ?(.*)$/.exec(rest);
  const value = sign === "<" ? answer.headers.get(name) : member(JSON.parse(answer.text), name);
  if (absent) return assert.equal(value ?? undefined, undefined, `${name} is there`);
  return match(pattern, value, captured, name);
}

const member = (document, path) => path.split(".").reduce((value, name) => value?.[name], document);

function match(pattern, value, captured, what) {
  assert.notEqual(value ?? undefined, undefined, `there is no ${what}`);
  const names = [];
  const parts = pattern.split(/(\*|\{\w+\})/).map((part) => {
    if (part === "*") return ".*";
    const [, name] = /^\{(\w+)\}$/.exec(part) ?? [];
    if (!name) return escaped(part);
    if (captured.has(name)) return escaped(captured.get(name));
    if (names.includes(name)) return `\\k<${name}>`;
    names.push(name);
    return `(?<${name}>[^\\s<>]+)`;
  });
  const found = new RegExp(`^${parts.join("")}$`, "s").exec(String(value));
  assert.ok(found, `${what} is ${value}, not ${pattern}`);
  for (const name of names) captured.set(name, found.groups[name]);
}

const escaped = (text) => text.replace(/[.*+?^${}()|[\]\\/]/g, "\\$&");
