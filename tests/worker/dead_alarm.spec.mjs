//! An alarm that died: its job is gone when its time is over, and the next sweep deletes what is left of it.

import assert from "node:assert/strict";
import { test } from "node:test";
import { server } from "../contract/server.mjs";
import { examplePng } from "../../src/tools/example.mjs";
import { copies, objectKeys, records, removeAlarms } from "../../src/tools/stored.mjs";
import { client, eventually, form } from "./client.mjs";

/** The shortest life that an upload may ask for, and some. */
const EXPIRED_WITHIN_MS = 90_000;
const HOUR_MS = 3_600_000;

const workers = server({ vars: { TOMBSTONE_SECS: "1" } });
const service = client(workers);

async function statusOf(path, init) {
  const response = await workers.fetch(path, init);
  await response.arrayBuffer();
  return response.status;
}

test("a job whose alarm was removed by hand answers 410 after its time, and is swept", async () => {
  const upload = await form({ image: { bytes: examplePng(60, 60), filename: "a.png" } });
  const job = await (await workers.fetch("/thumbnails?expires_in=60", upload)).json();
  await service.bytes(job);
  const file = new URL(job.resized_image_url).pathname;
  const etag = (await workers.fetch(file)).headers.get("etag");

  assert.ok((await workers.whileStopped(removeAlarms)) > 0, "there was no alarm to remove");
  assert.equal(await statusOf(file), 200);

  await eventually("its time to be over", async () => (await statusOf(file)) === 410, EXPIRED_WITHIN_MS);
  for (const headers of [{ range: "bytes=0-1" }, { "if-none-match": etag }, { "if-none-match": "*" }]) {
    assert.equal(await statusOf(file, { headers }), 410, JSON.stringify(headers));
  }
  assert.equal(await statusOf(file, { method: "HEAD" }), 410);
  const status = await workers.fetch(`/thumbnails/${job.id}`);
  assert.deepEqual([status.status, (await status.json()).status], [410, "expired"]);
  assert.match(await (await workers.fetch(`/thumbnails/${job.id}/events`)).text(), /"status":"expired"/);
  // Nobody has deleted it: no alarm is left that could.
  assert.deepEqual(await workers.whileStopped((state) => objectKeys(state).length), 2);

  // The sweep goes by the time of its trigger, the job by its own clock.
  assert.equal((await workers.sweep(Date.now() + HOUR_MS)).status, 200);
  await eventually("the job to be forgotten", async () => (await statusOf(file)) === 404);
  const left = await workers.whileStopped((state) => [objectKeys(state), copies(state), records(state)]);
  assert.deepEqual(left, [[], [], []]);
});
