//! Jobs whose time is over, and what is left once they are forgotten.

import assert from "node:assert/strict";
import { test } from "node:test";
import { examplePng } from "../../src/tools/example.mjs";
import { client, eventually, form } from "./client.mjs";
import { harness } from "./harness.mjs";
import { command, newId } from "./jobs.mjs";

const workers = harness({ vars: { TOMBSTONE_SECS: "1", MAX_EXPIRES_SECS: "7200" } });
const service = client(workers);

const upload = async (query) =>
  workers.fetch(`/thumbnails${query}`, await form({ image: { bytes: examplePng(60, 60), filename: "a.png" } }));

for (const value of ["", "0", "59", "7201", "-60", "1.5", "soon", "99999999999999999999999"]) {
  test(`expires_in=${value} is refused`, async () => {
    const response = await upload(`?expires_in=${value}`);
    assert.equal(response.status, 400);
    assert.ok((await response.json()).type.endsWith("/problems/invalid-option"));
  });
}

for (const value of [60, 7_200]) {
  test(`expires_in=${value} is taken, and caches are told`, async () => {
    const job = await (await upload(`?expires_in=${value}`)).json();
    assert.equal(Math.round((Date.parse(job.expires_at) - Date.parse(job.created_at)) / 10_000), value / 10);
    await service.ended(job);
    const age = Number(/max-age=(\d+)/.exec((await service.thumbnail(job)).headers.get("cache-control"))[1]);
    assert.ok(age <= value, String(age));
  });
}

const thumbnailStatus = async (id) => {
  const response = await workers.fetch(`/thumbnails/${id}.png`);
  await response.arrayBuffer();
  return response.status;
};

/** Waits until nothing is stored of a job and nobody knows it. */
async function assertForgotten(id) {
  await eventually(`job ${id} to be forgotten`, async () => (await thumbnailStatus(id)) === 404);
  assert.equal((await workers.fetch(`/thumbnails/${id}`)).status, 404);
  const { IMAGES, STATUS } = await workers.env();
  assert.deepEqual((await IMAGES.list({ prefix: `source/${id}` })).objects, []);
  assert.deepEqual((await IMAGES.list({ prefix: `thumbnail/${id}` })).objects, []);
  assert.equal(await STATUS.get(`status/${id}`), null);
}

test("a job whose time is over answers 410, then is forgotten", async () => {
  const { STATUS, IMAGES } = await workers.env();
  const like = await service.ended(await service.upload(examplePng(60, 60)));
  const { source, variants } = JSON.parse(await STATUS.get(`status/${like.id}`));
  const id = newId();
  await IMAGES.put(`source/${id}`, examplePng(60, 60));
  const expires_at = Date.now() + 2_000;
  await command(workers, id, { command: "create", id, owner: "anonymous", source, variants, expires_at });
  const seen = new Set();
  await eventually("its expiry", async () => {
    seen.add(await thumbnailStatus(id));
    return seen.has(410) || seen.has(404);
  });
  assert.ok(seen.has(200), [...seen].join());
  await assertForgotten(id);
});

test("a deleted job is forgotten after its time as a tombstone", async () => {
  const { id } = await service.ended(await service.upload(examplePng(60, 60)));
  assert.equal((await workers.fetch(`/thumbnails/${id}`, { method: "DELETE" })).status, 204);
  assert.equal(await thumbnailStatus(id), 410);
  await assertForgotten(id);
});
