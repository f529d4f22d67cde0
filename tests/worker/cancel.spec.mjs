//! DELETE: nothing of a job is served, kept or made any more, whenever it comes.

import assert from "node:assert/strict";
import { before, test } from "node:test";
import { examplePng } from "../../src/tools/example.mjs";
import { client, eventually } from "./client.mjs";
import { harness } from "./harness.mjs";
import { command, createStuck, message } from "./jobs.mjs";

const workers = harness();
const service = client(workers);

/** A job that is done, to make others like it. */
let done;
before(async () => {
  done = await service.ended(await service.upload(examplePng(120, 90)));
});

const remove = async (id) => (await workers.fetch(`/thumbnails/${id}`, { method: "DELETE" })).status;

/** Asserts that all that is left of a job is its tombstone, and that clients are told so. */
async function assertGone(id) {
  const { IMAGES } = await workers.env();
  assert.equal(await IMAGES.head(`source/${id}`), null);
  const stored = await IMAGES.list({ prefix: `thumbnail/${id}` });
  assert.deepEqual(stored.objects.map(({ size }) => size), [0]);
  const image = await workers.fetch(`/thumbnails/${id}.png`);
  assert.equal(image.status, 410);
  assert.ok((await image.json()).type.endsWith("/problems/gone"));
  const status = await workers.fetch(`/thumbnails/${id}`);
  assert.equal(status.status, 410);
  const document = await status.json();
  assert.deepEqual([document.status, document.thumbnails], ["cancelled", undefined]);
}

test("a job that is done is deleted, once", async () => {
  const { id } = await service.ended(await service.upload(examplePng(60, 60)));
  assert.equal(await remove(id), 204);
  await assertGone(id);
  assert.equal(await remove(id), 410);
  await assertGone(id);
});

test("a job under way is called off: its attempt stores nothing any more", async () => {
  const id = await createStuck(workers, done);
  assert.equal(await remove(id), 204);
  await assertGone(id);
  const late = await command(workers, id, {
    command: "finish",
    thumbnails: [],
    source_width: 8,
    source_height: 8,
    thumbhash: "",
    peak_memory_bytes: null,
  });
  assert.equal(late.verdict, "rejected");
  await assertGone(id);
});

test("a message that comes after the deletion revives nothing", async () => {
  const { id } = await service.ended(await service.upload(examplePng(60, 60)));
  assert.equal(await remove(id), 204);
  const result = await workers.deliver([message(id)]);
  assert.deepEqual([result.outcome, result.retryMessages], ["ok", []]);
  await assertGone(id);
});

test("deletions in the middle of uploads end each job in one way", async () => {
  const jobs = await Promise.all(Array.from({ length: 12 }, (_, i) => service.upload(examplePng(400 + i, 300))));
  const statuses = await Promise.all(jobs.map(({ id }) => remove(id)));
  assert.deepEqual(new Set(statuses), new Set([204]));
  await Promise.all(jobs.map(({ id }) => workers.deliver([message(id)])));
  for (const { id } of jobs) await assertGone(id);
});

test("a failed job is deleted too", async () => {
  const id = await createStuck(workers, done);
  await command(workers, id, { command: "fail", failure: { kind: "damaged-image", detail: "a test" } });
  assert.equal(await remove(id), 204);
  await assertGone(id);
});

test("a job that never was cannot be deleted", async () => {
  assert.equal(await remove("01900000-0000-7000-8000-000000000000"), 404);
});

test("the copy in KV says cancelled in the end", async () => {
  const { id } = await service.ended(await service.upload(examplePng(60, 60)));
  assert.equal(await remove(id), 204);
  const { STATUS } = await workers.env();
  await eventually("the copy", async () => JSON.parse(await STATUS.get(`status/${id}`)).state === "cancelled");
});
