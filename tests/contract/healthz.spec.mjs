//! Both Workers answer over HTTP, also after they were killed.

import assert from "node:assert/strict";
import { test } from "node:test";
import { server } from "./server.mjs";

const workers = server();

test("/healthz answers", async () => {
  const response = await workers.fetch("/healthz");
  assert.equal(response.status, 200);
});

test("the cron trigger runs", async () => {
  const response = await workers.sweep();
  assert.equal(response.status, 200);
});

test("it answers again after a restart", async () => {
  await workers.restart();
  const response = await workers.fetch("/healthz");
  assert.equal(response.status, 200);
});

test("it answers again after a power cut", async () => {
  await workers.crash();
  const response = await workers.fetch("/healthz");
  assert.equal(response.status, 200);
});
