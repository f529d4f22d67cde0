//! A power cut right after the uploads: every accepted picture gets its thumbnail.

import assert from "node:assert/strict";
import { test } from "node:test";
import { describe, flatPng } from "../images/pictures.mjs";
import { server } from "../contract/server.mjs";
import { records } from "../../src/tools/stored.mjs";
import { client, eventually, raw } from "./client.mjs";

const UPLOADS = 8;

// Attempts that take longer than their lease on a slow machine must not count as poison here.
const workers = server({ vars: { RESCUE_SECS: "2", LEASE_SECS: "3", MAX_LOST_ATTEMPTS: "20" } });
const service = client(workers);

test("jobs survive a power cut that lost their messages", async () => {
  // Uploaded at once, made one after the other: when the last is accepted, most are not made.
  const bytes = flatPng(4_000, 4_000);
  const jobs = await Promise.all(Array.from({ length: UPLOADS }, () => service.upload(bytes)));
  const cut = Date.now();
  await workers.crash();
  for (const job of jobs) {
    const thumbnail = await service.bytes(job);
    assert.deepEqual(describe(thumbnail), { format: "png", width: 100, height: 100 });
  }
  const ended = await Promise.all(jobs.map((job) => service.status(job)));
  const rescued = ended.filter((job) => Date.parse(job.updated_at) > cut);
  assert.ok(rescued.length > 0, "every job was done before the cut: its image is too small for this test");
});

test("a power cut within an attempt leaves no job at processing", async () => {
  // Seconds of work, in which nobody is answered, since all Workers share a thread here: not even the upload.
  const query = "?sizes=1900x1900,1800x1800&linear=true&format=png";
  const processing = (state) => records(state).find((record) => record.state === "processing");
  let interrupted;
  for (let tries = 1; !interrupted; tries++) {
    assert.ok(tries < 6, "every cut came after the attempt");
    const upload = workers.fetch(`/thumbnails${query}`, raw(flatPng(6_000, 6_000), "image/png")).catch(() => undefined);
    await eventually("an attempt", () => workers.stored(processing));
    interrupted = await workers.crash(processing);
    await upload;
  }
  assert.equal(interrupted.attempts, 1);
  const ended = await service.ended(interrupted);
  assert.deepEqual([ended.status, ended.attempts, ended.thumbnails.length], ["done", 2, 2]);
});
