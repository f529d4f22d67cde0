//! Receivers of webhooks that misbehave on the wire, in front of Workers that reach the network by themselves.

import assert from "node:assert/strict";
import { test } from "node:test";
import { server } from "../contract/server.mjs";
import { examplePng } from "../../src/tools/example.mjs";
import { client, eventually, raw } from "./client.mjs";
import { PREVIOUS, SECRET, assertOneEvent, receiver, status, statuses } from "./receiver.mjs";

const workers = server({
  vars: {
    ALLOW_INSECURE_WEBHOOKS: "1",
    WEBHOOK_SCHEDULE: "0,1,1",
    WEBHOOK_SECRET: SECRET,
    WEBHOOK_SECRET_PREVIOUS: PREVIOUS,
  },
});
const service = client(workers);

const upload = async (url) => {
  const picture = raw(examplePng(60, 40), "image/png");
  const response = await workers.fetch(`/thumbnails?webhook=${encodeURIComponent(url)}`, picture);
  assert.equal(response.status, 202, await response.clone().text());
  return response.json();
};

/** Waits until a webhook has come to a status and returns the document of it. */
const told = (job, wanted) =>
  eventually(`the webhook of ${job.id} to be ${wanted}`, async () => {
    const { webhook } = await service.status(job);
    return webhook.status === wanted && webhook;
  });

for (const [name, answers, seen] of [
  ["500, then 200", [status(500), status(200)], [500, 200]],
  ["a closed connection, then 200", [(response) => response.socket.destroy(), status(200)], [/./, 200]],
  ["no answer, then 200", [() => {}, status(200)], [/no answer within 15 s/, 200]],
  ["headers only, then nothing", [(response) => response.writeHead(200).flushHeaders()], [200]],
  ["a body of 10 MB", [(response) => response.writeHead(200).end(Buffer.alloc(10 << 20))], [200]],
  ["a body that never ends", [endless], [200]],
]) {
  test(`a receiver with ${name} has the event in the end`, async () => {
    const { url, requests } = await receiver(...answers);
    const job = await upload(url);
    const webhook = await told(job, "delivered");
    const found = statuses(webhook);
    assert.equal(found.length, seen.length, JSON.stringify(found));
    seen.forEach((want, i) => (want instanceof RegExp ? assert.match(found[i], want) : assert.equal(found[i], want)));
    assert.equal(requests.length, seen.length);
    assertOneEvent(requests, job, "thumbnail.done");
    if (requests.length > 1) {
      const pause = requests[1].at - requests[0].at;
      assert.ok(pause >= 1_000, `${pause} ms between two attempts`);
    }
  });
}

function endless(response) {
  response.writeHead(200);
  const timer = setInterval(() => response.write(Buffer.alloc(1 << 16)), 5);
  response.once("close", () => clearInterval(timer));
}

test("the connection of a body that nobody wants is dropped", async () => {
  const { url, requests } = await receiver(endless);
  await told(await upload(url), "delivered");
  await eventually("the end of the connection", async () => requests[0].closedAt);
});

test("a redirect is a failure and is not followed", async () => {
  const elsewhere = await receiver(status(200));
  const { url, requests } = await receiver(status(301, { location: elsewhere.url }));
  const job = await upload(url);
  const webhook = await told(job, "given_up");
  assert.deepEqual(statuses(webhook), [301, 301, 301]);
  assert.equal(elsewhere.requests.length, 0);
  assertOneEvent(requests, job, "thumbnail.done");
});

test("a receiver that does not answer holds nobody up", async () => {
  let release;
  const released = new Promise((resolve) => (release = resolve));
  const slow = await receiver(async (response) => {
    await released;
    response.writeHead(204).end();
  });
  const quick = await receiver(status(204));
  const waits = await upload(slow.url);
  await eventually("the request that waits", () => slow.requests.length === 1);
  const jobs = [];
  for (let count = 0; count < 10; count++) jobs.push(await upload(quick.url));
  for (const job of jobs) await told(job, "delivered");
  // Nobody has answered it, nor was it given up, before all others were told.
  assert.deepEqual([slow.requests.length, slow.requests[0].closedAt], [1, undefined]);
  assert.notEqual((await service.status(waits)).webhook.status, "delivered");
  release();
  await told(waits, "delivered");
});
