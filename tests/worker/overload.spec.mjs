//! Uploads while the queue cannot keep up: refused before anything of them is read.

import assert from "node:assert/strict";
import { test } from "node:test";
import { examplePng } from "../../src/tools/example.mjs";
import { raw } from "./client.mjs";
import { harness } from "./harness.mjs";
import { message, newId } from "./jobs.mjs";

const workers = harness({ vars: { MAX_BACKLOG: "2" } });

/** Lets hundreds of messages wait that belong to no job: more than the origin can answer meanwhile. */
async function fill() {
  const { RESIZE_QUEUE } = await workers.env();
  const messages = () => Array.from({ length: 100 }, () => ({ body: message(newId()), contentType: "text" }));
  await Promise.all(Array.from({ length: 5 }, () => RESIZE_QUEUE.sendBatch(messages())));
}

test("a backlog of more than MAX_BACKLOG refuses uploads and says when to come again", async () => {
  await fill();
  // One that would be refused for itself, had it been read.
  for (const bytes of [examplePng(60, 60), Buffer.from("no image")]) {
    const response = await workers.fetch("/thumbnails", raw(bytes, "image/png"));
    assert.equal(response.status, 503);
    assert.ok(Number(response.headers.get("retry-after")) > 0);
    const { type, detail } = await response.json();
    assert.ok(type.endsWith("/problems/unavailable"));
    assert.match(detail, /^\d+ jobs wait, and 2 may/);
  }
  const { IMAGES } = await workers.env();
  assert.deepEqual((await IMAGES.list()).objects, []);
  assert.equal((await workers.fetch("/healthz")).status, 200);
});

test("without a backlog they are taken", async () => {
  await workers.reset();
  assert.equal((await workers.fetch("/thumbnails", raw(examplePng(60, 60), "image/png"))).status, 202);
});
