//! What an upload may ask for: options in the query and in a form, and several sizes.

import assert from "node:assert/strict";
import { test } from "node:test";
import { describe, gif, picture } from "../images/pictures.mjs";
import { client, form, raw } from "./client.mjs";
import { harness } from "./harness.mjs";

const workers = harness();
const service = client(workers);

const PHOTO = picture("photo.jpg"); // 160x120
const image = { bytes: PHOTO, filename: "photo.jpg" };

async function accepted(response) {
  assert.equal(response.status, 202, await response.clone().text());
  return response.json();
}

async function refused(response) {
  const document = await response.json();
  assert.equal(response.status, 400, JSON.stringify(document));
  assert.ok(document.type.endsWith("/problems/invalid-option"), document.type);
  return document;
}

test("options stand in the query", async () => {
  const path = "/thumbnails?width=80&fit=inside&format=webp&quality=50";
  const job = await accepted(await workers.fetch(path, raw(PHOTO, "image/jpeg")));
  assert.ok(job.resized_image_url.endsWith(`${job.id}.webp`), job.resized_image_url);
  assert.deepEqual(describe(await service.bytes(job)), { format: "webp", width: 80, height: 60 });
});

for (const [where, fields] of [
  ["before the file", { size: "60x40", format: "png", image }],
  ["behind the file", { image, size: "60x40", format: "png" }],
  ["on both sides of the file", { format: "png", image, size: "60x40" }],
]) {
  test(`options stand in fields ${where}`, async () => {
    const job = await accepted(await workers.fetch("/thumbnails", await form(fields)));
    assert.deepEqual(describe(await service.bytes(job)), { format: "png", width: 60, height: 40 });
  });
}

test("query and form add up", async () => {
  const job = await accepted(await workers.fetch("/thumbnails?width=30", await form({ image, height: "50" })));
  assert.deepEqual(describe(await service.bytes(job)), { format: "jpeg", width: 30, height: 50 });
});

test("an option that does not exist or does not fit is named, and nothing stays stored", async () => {
  const { IMAGES } = await workers.env();
  const before = await IMAGES.list({ prefix: "source/" });
  for (const [query, fields, pointers] of [
    ["?widht=5", { image }, ["#/widht"]],
    ["?width=0&fit=crop", { image }, ["#/width", "#/fit"]],
    ["?width=5", { image, width: "5" }, ["#/width"]],
    ["?width=5", { image, size: "5x5" }, ["#/width"]],
    ["?note=5", { image }, ["#/note"]],
    ["", { image, widht: "5" }, ["#/widht"]],
    ["", { image, fit: "x".repeat(5_000) }, ["#/fit"]],
    ["?expires_in=5", { image }, ["#/expires_in"]],
    ["?sizes=5x5,5x5", { image }, ["#/sizes"]],
  ]) {
    const document = await refused(await workers.fetch(`/thumbnails${query}`, await form(fields)));
    assert.deepEqual(document.errors.map(({ pointer }) => pointer), pointers);
    for (const { detail } of document.errors) assert.ok(document.detail.includes(detail), document.detail);
  }
  const after = await IMAGES.list({ prefix: "source/" });
  assert.equal(after.objects.length, before.objects.length);
});

test("a later frame is shown, and one that is not there fails the job with how many there are", async () => {
  const animation = raw(gif(60, 40, 3), "image/gif");
  const job = await accepted(await workers.fetch("/thumbnails?page=2&width=30&height=20", animation));
  assert.deepEqual(describe(await service.bytes(job)), { format: "gif", width: 30, height: 20 });
  const beyond = await service.ended(await accepted(await workers.fetch("/thumbnails?page=3", animation)));
  assert.equal(beyond.status, "failed");
  assert.equal(beyond.attempts, 1);
  assert.ok(beyond.problem.type.endsWith("/problems/invalid-option"), beyond.problem.type);
  assert.equal(beyond.problem.detail, "there is no page 3: pages of this GIF file count from 0, and it has 3");
  const { detail } = await refused(await workers.fetch("/thumbnails?page=1", raw(PHOTO, "image/jpeg")));
  assert.equal(detail, "there is no page 1: pages of this JPEG file count from 0, and it has 1");
});

test("the limits of an option stand in the refusal", async () => {
  const { detail } = await refused(await workers.fetch("/thumbnails?width=5000", await form({ image })));
  assert.equal(detail, 'width must be a whole number from 1 to 4096, not "5000"');
});

test("several sizes come from one upload, each under a name of its own", async () => {
  const path = "/thumbnails?sizes=40x30,big:100x90&format=png";
  const job = await accepted(await workers.fetch(path, await form({ image })));
  const { thumbnails, resized_image_url } = await service.ended(job);
  assert.equal(resized_image_url, thumbnails[0].url);
  const made = [];
  for (const { name, url, width, height } of thumbnails) {
    assert.equal(new URL(url).pathname, `/thumbnails/${job.id}_${name}.png`);
    const response = await workers.fetch(new URL(url).pathname);
    assert.equal(response.status, 200);
    const bytes = Buffer.from(await response.arrayBuffer());
    assert.deepEqual(describe(bytes), { format: "png", width, height });
    made.push([name, width, height]);
  }
  assert.deepEqual(made, [["40x30", 40, 30], ["big", 100, 90]]);
  assert.equal((await workers.fetch(`/thumbnails/${job.id}.png`)).status, 404);
});
