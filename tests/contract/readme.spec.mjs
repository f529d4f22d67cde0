//! What README.md says is so: its curl session runs, its tables are complete.

import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { describe, picture } from "../images/pictures.mjs";
import { DEV_DEFAULTS } from "../tools/dev-vars.mjs";
import { inRoot } from "../tools/paths.mjs";
import { variableNames } from "../tools/run-vars.mjs";
import { capture } from "../tools/run.mjs";
import { server } from "./server.mjs";

const LOCAL = "http://127.0.0.1:8787";
const readme = readFileSync(inRoot("README.md"), "utf8");

// As `npm start` has it.
const workers = server({ vars: Object.fromEntries(DEV_DEFAULTS) });

const folder = mkdtempSync(join(tmpdir(), "readme-"));
after(() => rmSync(folder, { recursive: true, force: true }));

/** Returns the fenced block behind a mark. */
function block(mark, language) {
  const start = `<!-- ${mark} by tests/contract/readme.spec.mjs -->\n\`\`\`${language}\n`;
  const [, text] = readme.split(start);
  assert.ok(text, `README.md has no block of ${language} that is ${mark}`);
  return text.split("\n```")[0];
}

/** The first two cells of each row of a table that begins with code. */
const rows = [...readme.matchAll(/^\| `([^`]+)` \| ([^|]*) \|/gm)].map(([, name, second]) => [name, second]);
const problems = rows.filter(([name]) => /^[a-z]+(-[a-z]+)*$/.test(name));
const variables = rows.map(([name]) => name).filter((name) => /^[A-Z_]+$/.test(name));

test("the curl session ends with a thumbnail", async () => {
  writeFileSync(join(folder, "cat.jpg"), picture("photo.jpg"));
  const script = block("run", "sh").replaceAll(`${LOCAL}/`, workers.url("/"));
  const { code, output } = await capture("bash", ["-euo", "pipefail", "-c", script], { cwd: folder });
  assert.equal(code, 0, output);
  // What curl says of a failed request looks like a fault of the service.
  assert.doesNotMatch(output, /curl:/);
  const thumbnail = readFileSync(join(folder, "thumbnail.jpg"));
  assert.deepEqual(describe(thumbnail), { format: "jpeg", width: 100, height: 100 });
  const document = (name) => JSON.parse(readFileSync(join(folder, name), "utf8"));
  assert.equal(document("status.json").status, "done");
  assert.deepEqual(document("later.json").later.map(({ name }) => name), ["300x200"]);
});

test("the example document has the members of a real one", () => {
  const shape = (value) =>
    Array.isArray(value)
      ? value.map(shape)
      : typeof value === "object"
        ? Object.fromEntries(Object.entries(value).map(([name, member]) => [name, shape(member)]))
        : typeof value;
  const real = JSON.parse(readFileSync(join(folder, "status.json"), "utf8"));
  assert.deepEqual(shape(JSON.parse(block("checked", "json"))), shape(real));
});

test("every variable of the configuration is listed", () => {
  const known = variableNames();
  assert.ok(known.length > 5);
  assert.deepEqual(variables.toSorted(), known.toSorted());
});

test("every kind of problem is listed with its status", () => {
  const source = readFileSync(inRoot("src", "core", "api", "problem", "table.rs"), "utf8");
  const kinds = [...source.matchAll(/=> \(\s*"([a-z-]+)",\s*(\d{3}),/g)].map(([, slug, status]) => [slug, status]);
  assert.ok(kinds.length > 20);
  assert.deepEqual(problems, kinds);
});

test("every problem has the page that its type leads to", async () => {
  for (const [slug, status] of problems) {
    const response = await workers.fetch(`/problems/${slug}`);
    assert.equal(response.status, 200, slug);
    assert.match(await response.text(), new RegExp(`\\(${status}\\)\n`));
  }
});

test("every command that it names exists", () => {
  const { scripts } = JSON.parse(readFileSync(inRoot("package.json"), "utf8"));
  const named = [...readme.matchAll(/npm (?:run )?(start|test|build|deploy|send-image|setup)\b/g)].map(([, name]) => name);
  assert.ok(named.length > 5);
  for (const name of named) assert.ok(scripts[name], name);
});
