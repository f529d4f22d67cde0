//! Texts that a client may have: pages, the description of the API, and documents of jobs.

import assert from "node:assert/strict";
import { test } from "node:test";
import { examplePng } from "../../src/tools/example.mjs";
import { client } from "./client.mjs";
import { harness } from "./harness.mjs";

const workers = harness();
const service = client(workers);

const PAGES = ["/", "/upload.js", "/upload.css", "/docs", "/docs/clients", "/docs/swagger-ui.css", "/openapi.json"];

async function ask(path, headers = {}, method = "GET") {
  const response = await workers.fetch(path, { method, headers });
  return { status: response.status, headers: response.headers, text: await response.text() };
}

/** Asserts that a URL has a tag, which is the same with HEAD, and that who has it gets no bytes. */
async function assertTagged(path) {
  const first = await ask(path);
  const tag = first.headers.get("etag");
  assert.match(tag, /^(W\/)?"[^"]+"$/, path);
  assert.equal((await ask(path, {}, "HEAD")).headers.get("etag"), tag);
  for (const method of ["GET", "HEAD"]) {
    const again = await ask(path, { "if-none-match": `"other", ${tag}` }, method);
    assert.deepEqual([again.status, again.text], [304, ""], `${method} ${path}`);
    assert.equal(again.headers.get("etag"), tag);
  }
  assert.equal((await ask(path, { "if-none-match": '"other"' })).text, first.text);
  return tag;
}

for (const path of PAGES) test(`${path} is sent once`, () => assertTagged(path));

test("the document of a job is sent when it has changed", async () => {
  const job = await service.ended(await service.upload(examplePng(60, 40)));
  const path = `/thumbnails/${job.id}`;
  const tag = await assertTagged(path);
  assert.match(tag, /^"/);
  assert.equal((await ask(path, { "if-none-match": tag })).headers.get("vary"), "Accept");
  assert.equal((await ask(path, { "if-match": '"other"' })).status, 412);
  const more = await workers.fetch(path, { method: "DELETE" });
  assert.equal(more.status, 204);
  assert.equal((await ask(path, { "if-none-match": tag })).status, 410);
});

test("a job is deleted only as the client knows it", async () => {
  const job = await service.ended(await service.upload(examplePng(60, 40)));
  const path = `/thumbnails/${job.id}`;
  const tag = (await ask(path)).headers.get("etag");
  for (const other of ['"other"', `W/${tag}`]) {
    const refused = await ask(path, { "if-match": other }, "DELETE");
    assert.equal(refused.status, 412, refused.text);
    const { type, detail } = JSON.parse(refused.text);
    assert.ok(type.endsWith("/problems/precondition-failed") && detail.includes(tag), detail);
  }
  assert.equal((await ask(path)).status, 200);
  assert.equal((await ask(path, { "if-match": `"other", ${tag}` }, "DELETE")).status, 204);
  assert.equal((await ask(path, { "if-match": tag }, "DELETE")).status, 410);
});

for (const [what, tag] of [
  ["the tag of its thumbnail", (job) => `"${job.thumbnails[0].etag}"`],
  ["any tag", () => "*"],
]) {
  test(`${what} is good enough to delete a job`, async () => {
    const job = await service.ended(await service.upload(examplePng(60, 40)));
    assert.equal((await ask(`/thumbnails/${job.id}`, { "if-match": tag(job) }, "DELETE")).status, 204);
  });
}

test("a job that never was is not found, whatever it was to be", async () => {
  const never = "/thumbnails/01900000-0000-7000-8000-000000000000";
  for (const tag of ["*", '"x"']) assert.equal((await ask(never, { "if-match": tag }, "DELETE")).status, 404);
});
