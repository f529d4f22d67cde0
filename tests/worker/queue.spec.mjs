//! What the origin makes of messages: the job's, the same again, others' and dead ones.

import assert from "node:assert/strict";
import { before, test } from "node:test";
import { examplePng } from "../../src/tools/example.mjs";
import { brokenPng, cutPng, picture } from "../images/pictures.mjs";
import { client } from "./client.mjs";
import { DEAD_QUEUE, harness, RESIZE_QUEUE } from "./harness.mjs";
import { createStuck, createWithoutSource, message, newId, plantCopy } from "./jobs.mjs";

const workers = harness();
const service = client(workers);

/** A job that is done. */
let done;
before(async () => {
  done = await service.ended(await service.upload(examplePng(120, 90)));
});

const acked = (result) => {
  assert.equal(result.outcome, "ok");
  assert.deepEqual(result.retryMessages, []);
  assert.equal(result.retryBatch.retry, false);
};

test("the same message ten times makes one thumbnail", async () => {
  const first = await service.bytes(done);
  const again = Array.from({ length: 10 }, () => message(done.id));
  acked(await workers.deliver(again.slice(0, 5)));
  await Promise.all(again.slice(5).map(async (body) => acked(await workers.deliver([body]))));
  assert.deepEqual(await service.status(done), done);
  assert.ok((await service.bytes(done)).equals(first));
  const { IMAGES } = await workers.env();
  assert.equal((await IMAGES.list({ prefix: `thumbnail/${done.id}` })).objects.length, 1);
});

for (const [what, body] of [
  ["nonsense", "not a message of ours"],
  ["a body that is no text", { v: 1 }],
]) {
  test(`${what} is acknowledged and logged`, async () => {
    const id = `odd-${what.replaceAll(" ", "-")}`;
    acked(await workers.deliver([{ id, body }]));
    acked(await workers.deliver([{ id: `${id}-dead`, body }], DEAD_QUEUE));
    const lines = workers.logs().map((entry) => String(entry.message));
    for (const name of [id, `${id}-dead`]) {
      assert.ok(lines.some((line) => line.includes("message_discarded") && line.includes(name)), lines.join("\n"));
    }
  });
}

test("a message of a later version is kept for the build that sent it", async () => {
  const body = '{"v":3,"job":"01900000-0000-7000-8000-000000000000"}';
  for (const queue of [RESIZE_QUEUE, DEAD_QUEUE]) {
    const result = await workers.deliver([{ id: "later", body }], queue);
    assert.equal(result.outcome, "ok");
    assert.deepEqual(result.explicitAcks, []);
    assert.deepEqual(result.retryMessages, [{ msgId: "later", delaySeconds: 60 }]);
  }
});

test("a message of an unknown job is acknowledged and creates nothing", async () => {
  const id = newId();
  acked(await workers.deliver([message(id)]));
  acked(await workers.deliver([message(id)], DEAD_QUEUE));
  assert.equal((await workers.fetch(`/thumbnails/${id}`)).status, 404);
});

test("a dead letter ends its job as failed", async () => {
  const id = await createStuck(workers, done);
  acked(await workers.deliver([message(id)], DEAD_QUEUE));
  await assertFailed(id, "dead-letter");
});

test("a dead letter of a finished job changes nothing", async () => {
  acked(await workers.deliver([message(done.id)], DEAD_QUEUE));
  assert.deepEqual(await service.status(done), done);
});

test("a second delivery while an attempt runs begins no other", async () => {
  const id = await createStuck(workers, done);
  acked(await workers.deliver([message(id)]));
  const job = await service.status({ id });
  assert.deepEqual([job.status, job.attempts], ["processing", 1]);
});

test("a job whose source is gone fails", async () => {
  const id = await createWithoutSource(workers, done);
  await service.ended({ id });
  await assertFailed(id, "source-missing");
});

for (const [what, bytes, slug] of [
  ["a truncated picture", cutPng(), "truncated-image"],
  ["a damaged image", brokenPng(), "damaged-image"],
]) {
  test(`${what} fails with a reason`, async () => {
    const job = await service.upload(bytes);
    await service.ended(job);
    await assertFailed(job.id, slug);
  });
}

test("one bad picture among good ones harms none of them", async () => {
  const good = picture("photo.jpg");
  const jobs = [];
  for (const bytes of [good, brokenPng(), good]) jobs.push(await service.upload(bytes));
  const states = (await Promise.all(jobs.map((job) => service.ended(job)))).map((job) => job.status);
  assert.deepEqual(states, ["done", "failed", "done"]);
});

for (const [state, old] of [["pending", "PENDING"], ["processing", "STARTED"], ["retrying", "RETRY"]]) {
  test(`the thumbnail of a job that is ${state} answers 409 with the old name ${old}`, async () => {
    const id = await plantCopy(workers, done, state);
    const response = await workers.fetch(`/thumbnails/${id}.png`);
    assert.equal(response.status, 409);
    assert.match(response.headers.get("retry-after"), /^\d+$/);
    assert.equal(response.headers.get("cache-control"), "no-store");
    const document = await response.json();
    assert.equal(document.processing, `Current status of image processing is ${old}.`);
    const status = await workers.fetch(`/thumbnails/${id}`);
    assert.equal((await status.json()).status, state);
    assert.match(status.headers.get("retry-after"), /^\d+$/);
  });
}

/** A failed job: 422 with the old name of its state where the thumbnail would be, 200 where its status is. */
async function assertFailed(id, slug) {
  const response = await workers.fetch(`/thumbnails/${id}.png`);
  assert.equal(response.status, 422);
  const document = await response.json();
  assert.ok(document.type.endsWith(`/problems/${slug}`), JSON.stringify(document));
  assert.match(document.processing, /FAILURE/);
  assert.equal(document.error, document.detail);
  const job = await service.status({ id });
  assert.equal(job.status, "failed");
  assert.ok(job.problem.type.endsWith(`/problems/${slug}`));
  assert.equal(job.problem.status, 422);
  assert.equal(job.thumbnails, undefined);
}
