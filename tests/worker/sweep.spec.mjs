//! The cron sweep: it deletes what belongs to no job, and nothing else.

import assert from "node:assert/strict";
import { test } from "node:test";
import { examplePng } from "../../src/tools/example.mjs";
import { client } from "./client.mjs";
import { harness } from "./harness.mjs";
import { command, newId } from "./jobs.mjs";

const workers = harness();
const service = client(workers);

const MINUTE_MS = 60_000;

async function plantSource(ageMinutes) {
  const id = newId(Date.now() - ageMinutes * MINUTE_MS);
  const { IMAGES } = await workers.env();
  await IMAGES.put(`source/${id}`, examplePng(8, 8));
  return id;
}

const isStored = async (id) => (await (await workers.env()).IMAGES.head(`source/${id}`)) !== null;

test("a source without a job is deleted once no upload can be at work on it", async () => {
  const [orphan, another, young] = [await plantSource(21), await plantSource(230), await plantSource(19)];
  assert.equal((await workers.sweep()).outcome, "ok");
  assert.deepEqual(await Promise.all([orphan, another, young].map(isStored)), [false, false, true]);
});

test("the source of a job stays, and no job is made of one that may be swept", async () => {
  const { STATUS } = await workers.env();
  const like = await service.ended(await service.upload(examplePng(60, 60)));
  const { source, variants } = JSON.parse(await STATUS.get(`status/${like.id}`));
  const create = (id) => command(workers, id, { command: "create", id, owner: "anonymous", source, variants });
  const [id, late] = [await plantSource(14), await plantSource(30)];
  assert.deepEqual([(await create(id)).verdict, (await create(late)).verdict], ["recorded", "too_late"]);
  assert.equal((await workers.sweep()).outcome, "ok");
  assert.deepEqual(await Promise.all([id, like.id, late].map(isStored)), [true, true, false]);
});

test("many orphans go in one sweep", async () => {
  const ids = await Promise.all(Array.from({ length: 30 }, () => plantSource(25)));
  assert.equal((await workers.sweep()).outcome, "ok");
  assert.deepEqual(new Set(await Promise.all(ids.map(isStored))), new Set([false]));
});
