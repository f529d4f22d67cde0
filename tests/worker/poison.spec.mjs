//! An image that stops every attempt at it ends as failed, by the clock of its own alarm.

import assert from "node:assert/strict";
import { test } from "node:test";
import { examplePng } from "../../src/tools/example.mjs";
import { client } from "./client.mjs";
import { harness } from "./harness.mjs";
import { createStuck } from "./jobs.mjs";

const workers = harness({ vars: { LEASE_SECS: "1", MAX_LOST_ATTEMPTS: "1" } });
const service = client(workers);

test("an attempt that never comes back ends its job as poison", async () => {
  const like = await service.upload(examplePng(50, 50));
  const id = await createStuck(workers, like);
  const job = await service.ended({ id });
  assert.ok(job.problem.type.endsWith("/problems/poison"), JSON.stringify(job.problem));
  assert.equal(job.attempts, 1);
});
