//! The code of src/docs/api.md signs what the service takes.

import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { picture } from "../images/pictures.mjs";
import { inRoot } from "../../src/tools/paths.mjs";
import { PYTHON, pythonEnvironment } from "../../src/tools/python.mjs";
import { capture } from "../../src/tools/run.mjs";
import { client } from "../worker/client.mjs";
import { server } from "./server.mjs";

const KEY = "a key of 32 characters, at least";
const QUERY = "size=30x20&fit=inside&background=%23ff8800";
const page = readFileSync(inRoot("src", "docs", "api.md"), "utf8");

const workers = server({ vars: { VARIANTS_LATER: "signed", SIGNING_KEY: KEY } });
const service = client(workers);

const folder = mkdtempSync(join(tmpdir(), "later-"));
after(() => rmSync(folder, { recursive: true, force: true }));

/** Returns the code of a language that the page shows. */
function shown(language) {
  const [, text] = page.split(`<!-- run by tests/contract/later.spec.mjs -->\n\`\`\`${language}\n`);
  assert.ok(text, `src/docs/api.md signs in no ${language}`);
  return text.split("\n```")[0];
}

/** Asserts that the service takes a query that was signed for a job, and nothing else. */
async function assertTaken(sign) {
  const job = await service.ended(await service.upload(picture("photo.jpg"), "photo.jpg"));
  const query = await sign(KEY, job.id, QUERY);
  const post = (query) => workers.fetch(`/thumbnails/${job.id}?${query}`, { method: "POST" });
  for (const wrong of [QUERY, query.replace("30x20", "31x20"), await sign(`${KEY}.`, job.id, QUERY)]) {
    assert.equal((await post(wrong)).status, 403, wrong);
  }
  const response = await post(query);
  assert.equal(response.status, 202, await response.text());
}

test("in JavaScript", async () => {
  const file = join(folder, "signed.mjs");
  writeFileSync(file, shown("js"));
  const { signed } = await import(file);
  await assertTaken(signed);
});

test("in Python", async () => {
  const file = join(folder, "signed.py");
  writeFileSync(file, `${shown("python")}\n\nimport sys\n\nprint(signed(*sys.argv[1:]))\n`);
  await assertTaken(async (...args) => {
    const { code, output } = await capture(PYTHON, [file, ...args], { env: pythonEnvironment() });
    assert.equal(code, 0, output);
    return output.trim();
  });
});
