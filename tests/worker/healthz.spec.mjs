//! The built Workers start and take every kind of event.

import assert from "node:assert/strict";
import { test } from "node:test";
import { harness } from "./harness.mjs";

const workers = harness();

test("the edge answers on /healthz", async () => {
  const response = await workers.fetch("/healthz");
  assert.equal(response.status, 200);
});

test("both Workers have the bindings that their code asks for", async () => {
  const edge = await workers.env();
  for (const name of ["IMAGES", "STATUS", "RESIZE_QUEUE", "JOB"]) assert.ok(edge[name], name);
  const origin = await workers.env("edge-thumbnails-origin");
  for (const name of ["IMAGES", "JOB"]) assert.ok(origin[name], name);
});

test("the origin settles a message that nobody can read", async () => {
  const result = await workers.deliver(["not a message of ours"]);
  assert.equal(result.outcome, "ok");
  assert.deepEqual(result.retryMessages, []);
});

test("the cron trigger runs", async () => {
  const { outcome } = await workers.sweep();
  assert.equal(outcome, "ok");
});
