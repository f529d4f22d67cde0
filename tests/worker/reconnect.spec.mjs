//! A power cut while clients listen: they connect again and hear the end of every job.

import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { flatPng } from "../images/pictures.mjs";
import { server } from "../contract/server.mjs";
import { client } from "./client.mjs";
import { listen, stream } from "./listeners.mjs";

const UPLOADS = 6;
const PAUSE_MS = 200;
const DEADLINE_MS = 60_000;

// Attempts that take longer than their lease on a slow machine must not count as poison here.
const workers = server({ vars: { RESCUE_SECS: "2", LEASE_SECS: "3", MAX_LOST_ATTEMPTS: "20" } });
const service = client(workers);

/** Hears one job over streams of events until it has ended; returns the revisions and the last document. */
async function followStream({ id }, began) {
  const revisions = [];
  let last;
  let document;
  while (!["done", "failed"].includes(document?.status)) {
    try {
      const listener = await stream(new URL(workers.url(`/thumbnails/${id}/events`)), last);
      for (;;) {
        ({ id: last, document } = await listener.event());
        revisions.push(document.revision);
        began();
        if (document.status === "done") break;
      }
    } catch {
      await sleep(PAUSE_MS);
    }
  }
  return { revisions, document };
}

/** Hears all jobs over WebSockets until they have ended; returns the last document of each. */
async function followSockets(jobs, began) {
  const last = new Map(jobs.map((job) => [job.id, job]));
  const open = () => [...last.values()].filter(({ status }) => !["done", "failed"].includes(status));
  while (open().length > 0) {
    try {
      const listener = await listen(new URL(workers.url(`/events?ids=${open().map(({ id }) => id)}`)));
      while (open().length > 0) {
        const document = await listener.document();
        last.set(document.id, document);
        began();
      }
    } catch {
      await sleep(PAUSE_MS);
    }
  }
  return [...last.values()];
}

test("listeners that connect again hear the end of every job", { timeout: DEADLINE_MS }, async () => {
  const bytes = flatPng(4_000, 4_000);
  const jobs = await Promise.all(Array.from({ length: UPLOADS }, () => service.upload(bytes)));
  let heard = 0;
  const began = () => heard++;
  const streams = jobs.map((job) => followStream(job, began));
  const sockets = followSockets(jobs, began);
  while (heard < UPLOADS) await sleep(10);
  const cut = Date.now();
  await workers.crash();

  const ended = await Promise.all(streams);
  for (const { revisions, document } of ended) {
    assert.equal(document.status, "done");
    assert.deepEqual(revisions, [...new Set(revisions)].sort((a, b) => a - b), "in order and each once");
  }
  const { length } = ended.filter(({ document }) => Date.parse(document.updated_at) > cut);
  assert.ok(length > 0, "every job was done before the cut: its image is too small for this test");
  for (const document of await sockets) {
    assert.equal(document.status, "done");
    // The port is another one since, and with it the URLs.
    assert.equal(document.revision, (await service.status(document)).revision);
  }
});
