//! `Prefer: wait`: answers that are held back until a job has ended.

import assert from "node:assert/strict";
import { test } from "node:test";
import { brokenPng, describe, flatPng } from "../images/pictures.mjs";
import { client, form, raw } from "./client.mjs";
import { harness } from "./harness.mjs";
import { createStuck } from "./jobs.mjs";

const workers = harness({ vars: { MAX_WAIT_SECS: "20", VARIANTS_LATER: "any" } });
const service = client(workers);
const picture = flatPng(400, 300);
const wait = (secs) => ({ headers: { prefer: `wait=${secs}` } });
const applied = (response) => response.headers.get("preference-applied");

const posted = (bytes, headers) => {
  const init = raw(bytes, "application/octet-stream");
  return workers.fetch("/thumbnails", { ...init, headers: { ...init.headers, ...headers } });
};

test("an upload is answered when its thumbnail is made: 201", async () => {
  const response = await posted(picture, { prefer: "respond-async, wait=15" });
  assert.equal(response.status, 201);
  assert.equal(applied(response), "wait=15");
  const document = await response.json();
  assert.equal(document.status, "done");
  assert.equal(response.headers.get("location"), document.status_url);
  assert.equal((await service.thumbnail(document)).status, 200);
});

test("an upload whose picture turns out to be damaged says so: 422", async () => {
  const response = await posted(brokenPng(), { prefer: "wait=15" });
  assert.equal(response.status, 422);
  assert.equal(response.headers.get("content-type"), "application/problem+json");
  const status = await workers.fetch(new URL(response.headers.get("location")).pathname);
  const { status: state, problem } = await status.json();
  assert.equal(state, "failed");
  assert.deepEqual(problem, await response.json());
});

test("an upload of several files is answered when all have ended: 201", async () => {
  const fields = { a: { bytes: picture, filename: "a.png" }, b: { bytes: brokenPng(), filename: "b.png" }, c: { bytes: Buffer.from("no"), filename: "c" } };
  const init = await form(fields);
  const response = await workers.fetch("/thumbnails", { ...init, headers: { ...init.headers, ...wait(15).headers } });
  assert.equal(response.status, 201);
  const { files } = await response.json();
  assert.deepEqual(files.map(({ job }) => job?.status), ["done", "failed", undefined]);
});

test("the thumbnail comes with one request", async () => {
  const job = await service.upload(picture);
  const response = await service.thumbnail(job, wait(15));
  assert.equal(response.status, 200);
  assert.deepEqual(describe(Buffer.from(await response.arrayBuffer())), { format: "png", width: 100, height: 100 });
});

test("the status of the end comes with one request", async () => {
  const job = await service.upload(picture);
  const response = await workers.fetch(`/thumbnails/${job.id}`, wait(15));
  assert.equal(applied(response), "wait=15");
  assert.equal((await response.json()).status, "done");
});

test("when the time is over the answer is the ordinary one", async () => {
  const id = await createStuck(workers, await service.upload(picture));
  const began = Date.now();
  const status = await workers.fetch(`/thumbnails/${id}`, wait(1));
  assert.ok(Date.now() - began >= 950, "it was not held back");
  assert.equal(status.status, 200);
  assert.equal((await status.json()).status, "processing");
  const thumbnail = await workers.fetch(`/thumbnails/${id}.png`, wait(1));
  assert.equal(thumbnail.status, 409);
  assert.equal(applied(thumbnail), "wait=1");
  assert.equal(thumbnail.headers.get("retry-after"), "1");
});

test("what waits is answered when the job ends otherwise", async () => {
  const id = await createStuck(workers, await service.upload(picture));
  const waiting = workers.fetch(`/thumbnails/${id}`, wait(15));
  const deleted = await workers.fetch(`/thumbnails/${id}`, { method: "DELETE" });
  assert.equal(deleted.status, 204);
  assert.equal((await (await waiting).json()).status, "cancelled");
});

test("more than is granted is cut", async () => {
  const job = await service.upload(picture);
  const response = await workers.fetch(`/thumbnails/${job.id}`, wait(3_600));
  assert.equal(applied(response), "wait=20");
});

for (const prefer of ["wait=x", "wait", "respond-async", "wait=0", ";;="]) {
  test(`Prefer: ${prefer} changes nothing`, async () => {
    const id = await createStuck(workers, await service.upload(picture));
    const response = await workers.fetch(`/thumbnails/${id}.png`, { headers: { prefer } });
    assert.equal(response.status, 409);
    assert.equal(applied(response), null);
  });
}

test("a job that does not exist is not waited for", async () => {
  const response = await workers.fetch("/thumbnails/01997c1e-0000-7aaa-8aaa-aaaaaaaaaaaa", wait(15));
  assert.equal(response.status, 404);
});

test("another size is answered when it is made: 201", async () => {
  const job = await (await posted(picture, { prefer: "wait=15" })).json();
  const response = await workers.fetch(`/thumbnails/${job.id}?size=40x30`, { method: "POST", ...wait(15) });
  assert.equal(response.status, 201);
  assert.equal(applied(response), "wait=15");
  const document = await response.json();
  assert.deepEqual([document.thumbnails.length, document.later], [2, undefined]);
  assert.equal((await workers.fetch(new URL(response.headers.get("location")).pathname)).status, 200);
  const again = await workers.fetch(`/thumbnails/${job.id}?size=40x30`, { method: "POST", ...wait(15) });
  assert.deepEqual([again.status, applied(again)], [200, null]);
});

test("another size that cannot be made says why: 422", async () => {
  const job = await (await posted(picture, { prefer: "wait=15" })).json();
  const response = await workers.fetch(`/thumbnails/${job.id}?page=3`, { method: "POST", ...wait(15) });
  const problem = await response.json();
  assert.deepEqual([response.status, problem.detail], [422, "there is no page 3: pages of this PNG file count from 0, and it has 1"]);
});

test("a rerun is answered when it has ended", async () => {
  const failed = await service.ended(await service.upload(brokenPng()));
  const response = await workers.fetch(`/thumbnails/${failed.id}/retry`, { method: "POST", ...wait(15) });
  assert.equal(response.status, 422, await response.clone().text());
  assert.equal(applied(response), "wait=15");
  assert.equal(response.headers.get("location"), failed.status_url);
});
