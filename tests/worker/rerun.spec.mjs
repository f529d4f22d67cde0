//! POST …/retry: failed jobs run again, others do not.

import assert from "node:assert/strict";
import { test } from "node:test";
import { brokenPng } from "../images/pictures.mjs";
import { examplePng } from "../../src/tools/example.mjs";
import { client } from "./client.mjs";
import { DEAD_QUEUE, harness } from "./harness.mjs";
import { createStuck, message } from "./jobs.mjs";

const workers = harness();
const service = client(workers);

const rerun = (id) => workers.fetch(`/thumbnails/${id}/retry`, { method: "POST" });

async function refused(id, status, slug) {
  const response = await rerun(id);
  assert.equal(response.status, status);
  assert.ok((await response.json()).type.endsWith(`/problems/${slug}`));
}

/** Returns the id of a job that was dead-lettered while an attempt was at work, with its source still there. */
async function deadLettered() {
  const id = await createStuck(workers, await service.ended(await service.upload(examplePng(60, 60))));
  const { IMAGES } = await workers.env();
  await IMAGES.put(`source/${id}`, examplePng(60, 60));
  await workers.deliver([message(id)], DEAD_QUEUE);
  return id;
}

test("a dead-lettered job runs again and gets its thumbnail", async () => {
  const id = await deadLettered();
  const image = () => workers.fetch(`/thumbnails/${id}.png`);
  assert.equal((await image()).status, 422);
  const response = await rerun(id);
  assert.equal(response.status, 202);
  const document = await response.json();
  assert.deepEqual([document.id, document.status, document.problem], [id, "pending", undefined]);
  assert.equal(response.headers.get("location"), document.status_url);
  assert.equal((await service.ended({ id })).status, "done");
  assert.equal((await image()).status, 200);
});

test("a job that is done cannot run again", async () => {
  const job = await service.upload(examplePng(60, 60));
  await service.ended(job);
  await refused(job.id, 409, "not-failed");
});

test("a deleted job cannot run again, nor one whose source is gone, nor one that never was", async () => {
  const deleted = await service.ended(await service.upload(examplePng(60, 60)));
  await workers.fetch(`/thumbnails/${deleted.id}`, { method: "DELETE" });
  await refused(deleted.id, 410, "gone");
  const failed = await service.ended(await service.upload(brokenPng()));
  const { IMAGES } = await workers.env();
  await IMAGES.delete(`source/${failed.id}`);
  await refused(failed.id, 410, "gone");
  await refused("01900000-0000-7000-8000-000000000000", 404, "not-found");
});

test("a damaged image fails again for the same reason", async () => {
  const job = await service.ended(await service.upload(brokenPng()));
  assert.equal((await rerun(job.id)).status, 202);
  await workers.deliver([message(job.id)]);
  const again = await service.ended(job);
  assert.equal(again.status, "failed");
  assert.deepEqual(again.problem, job.problem);
  assert.ok(again.attempts > job.attempts);
});
