//! What README.md and src/docs say is so: the curl session runs, the tables are complete, the links lead somewhere.

import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { after, test } from "node:test";
import { describe, picture } from "../images/pictures.mjs";
import { DEV_DEFAULTS } from "../../src/tools/dev-vars.mjs";
import { inRoot } from "../../src/tools/paths.mjs";
import { capture } from "../../src/tools/run.mjs";
import { server } from "./server.mjs";

const LOCAL = "http://127.0.0.1:8787";
const text = (...path) => readFileSync(inRoot(...path), "utf8");
const readme = text("README.md");
const page = (name) => text("src", "docs", `${name}.md`);

// As `npm start` has it.
const workers = server({ vars: Object.fromEntries(DEV_DEFAULTS) });

const folder = mkdtempSync(join(tmpdir(), "readme-"));
after(() => rmSync(folder, { recursive: true, force: true }));

/** Returns the fenced block after a mark. */
function block(document, mark, language) {
  const start = `<!-- ${mark} by tests/contract/readme.spec.mjs -->\n\`\`\`${language}\n`;
  const [, found] = document.split(start);
  assert.ok(found, `no block of ${language} is ${mark}`);
  return found.split("\n```")[0];
}

/** The first two cells of each row of a table that begins with code. */
const rows = (document) => [...document.matchAll(/^\| `([^`]+)` \| ([^|]*) \|/gm)].map(([, name, second]) => [name, second]);

test("the curl session ends with a thumbnail", async () => {
  writeFileSync(join(folder, "cat.jpg"), picture("photo.jpg"));
  const script = block(readme, "run", "sh").replaceAll(`${LOCAL}/`, workers.url("/"));
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
  assert.deepEqual(shape(JSON.parse(block(page("api"), "checked", "json"))), shape(real));
});

test("every problem has the page that its type leads to", async () => {
  const problems = rows(page("errors"));
  assert.ok(problems.length > 40);
  for (const [slug, status] of problems) {
    const response = await workers.fetch(`/problems/${slug}`);
    assert.equal(response.status, 200, slug);
    assert.match(await response.text(), new RegExp(`\\(${status}\\)\n`));
  }
});

test("every command that is named exists", () => {
  const { scripts } = JSON.parse(text("package.json"));
  const documents = ["README.md", "CONTRIBUTING.md", "tests/README.md"].map((name) => text(name));
  const named = documents.flatMap((document) => [...document.matchAll(/`(?:[A-Z_]+=\S+ )?npm (?:run )?([a-z-]+)/g)].map(([, name]) => name));
  assert.ok(named.length > 10);
  for (const name of named) assert.ok(scripts[name], name);
});

test("every link between documents leads to a file, and its heading", () => {
  const documents = ["README.md", "CONTRIBUTING.md", "src/README.md", "tests/README.md"];
  for (const document of documents) {
    for (const [, link] of text(document).matchAll(/\]\((?!https?:)([^)]+)\)/g)) {
      const [path, heading] = link.split("#");
      const target = path ? join(document, "..", path) : document;
      assert.ok(existsSync(inRoot(target)), `${document}: ${link}`);
      if (heading) assert.ok(headings(text(target)).includes(heading), `${document}: ${link}`);
    }
  }
});

test("every file that CONTRIBUTING.md names is there", () => {
  const named = [...text("CONTRIBUTING.md").matchAll(/`((?:src|tests)\/[\w./-]+)`/g)].map(([, name]) => name);
  assert.ok(named.length > 15);
  for (const name of named) assert.ok(existsSync(inRoot(name)), name);
});

test("the map of src/README.md has every file, and no other", () => {
  const [, map] = text("src", "README.md").split("\n## Map\n");
  const rows = [...map.split("\n## ")[0].matchAll(/^\| ([^|]+) \|/gm)].map(([, cell]) => [...cell.matchAll(/`([^`]+)`/g)].map(([, name]) => name));
  // `route*` is a file and the folder of its parts.
  const mapped = rows.flatMap((names) => names.map((name, at) => (at === 0 ? name : join(dirname(names[0]), name)).replace("*", ".rs").replace(/\/$/, "")));
  for (const name of mapped) assert.ok(existsSync(inRoot("src", name)), name);
  for (const folder of ["", "pipeline", "core", "core/job", "core/api", "core/service"]) {
    const names = readdirSync(inRoot("src", folder)).filter((name) => !/^(mod\.rs|lib\.rs|Cargo\.toml|README\.md)$/.test(name));
    const entries = names.filter((name) => !names.includes(`${name}.rs`)).map((name) => join(folder, name));
    for (const entry of entries) assert.ok(mapped.some((name) => name === entry || name.startsWith(`${entry}/`)), entry);
  }
});

/** The anchors of a document's headings. */
const headings = (document) =>
  [...document.matchAll(/^#+ (.+)$/gm)].map(([, title]) => title.toLowerCase().replace(/[^\w\s-]/g, "").replaceAll(" ", "-"));
