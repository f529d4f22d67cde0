//! Presets: options that the configuration gives a name, and a service that takes nothing else.

import assert from "node:assert/strict";
import { test } from "node:test";
import { describe, picture } from "../images/pictures.mjs";
import { client, form } from "./client.mjs";
import { harness } from "./harness.mjs";

const PRESETS = { avatar: { size: "48x48", fit: "cover" }, banner: { width: 80, format: "png" } };
const workers = harness({ vars: { PRESETS: JSON.stringify(PRESETS), PRESETS_ONLY: "1" } });
const service = client(workers);

const image = { bytes: picture("photo.jpg"), filename: "photo.jpg" }; // 160x120

async function refused(response, ...pointers) {
  const document = await response.json();
  assert.equal(response.status, 400, JSON.stringify(document));
  assert.deepEqual(document.errors.map(({ pointer }) => pointer), pointers);
  return document;
}

test("a preset makes a thumbnail of its name", async () => {
  const response = await workers.fetch("/thumbnails?preset=avatar", await form({ image }));
  assert.equal(response.status, 202);
  const job = await response.json();
  assert.ok(job.resized_image_url.endsWith(`${job.id}_avatar.jpg`), job.resized_image_url);
  assert.deepEqual(describe(await service.bytes(job)), { format: "jpeg", width: 48, height: 48 });
});

test("several presets make several thumbnails, and stand in a form as well", async () => {
  const response = await workers.fetch("/thumbnails", await form({ image, preset: "banner,avatar", expires_in: "600" }));
  const { thumbnails } = await service.ended(await response.json());
  assert.deepEqual(thumbnails.map(({ name, width, height }) => [name, width, height]), [["banner", 80, 60], ["avatar", 48, 48]]);
});

test("without options it is the thumbnail of always", async () => {
  const job = await service.upload(image.bytes);
  assert.deepEqual(describe(await service.bytes(job)), { format: "jpeg", width: 100, height: 100 });
});

test("other options are refused by name, and so is a preset that there is not", async () => {
  await refused(await workers.fetch("/thumbnails?width=5&fit=fill", await form({ image })), "#/width", "#/fit");
  await refused(await workers.fetch("/thumbnails?preset=avatar&width=5", await form({ image })), "#/width");
  const { detail } = await refused(await workers.fetch("/thumbnails?preset=x", await form({ image })), "#/preset");
  assert.equal(detail, 'there is no preset "x"; the presets are: avatar, banner');
});
