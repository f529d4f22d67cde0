//! Webhooks: each end of a job is told, as the schedule says and under one id. Receivers that misbehave on the wire
//! are in receivers.spec.mjs: what is between a Worker and the network here would hide it.
//!
//! The schedule here is three attempts, a second apart; that of the service is tested with a clock in `src/core/job`.

import assert from "node:assert/strict";
import { test } from "node:test";
import { brokenPng } from "../images/pictures.mjs";
import { examplePng } from "../../src/tools/example.mjs";
import { client, eventually, form, raw } from "./client.mjs";
import { harness } from "./harness.mjs";
import { message as resize } from "./jobs.mjs";
import { PREVIOUS, SECRET, assertOneEvent, receiver, status, statuses } from "./receiver.mjs";

const ATTEMPTS = 3;

const workers = harness({
  vars: { ALLOW_INSECURE_WEBHOOKS: "1", WEBHOOK_SCHEDULE: "0,1,1" },
  secrets: { WEBHOOK_SECRET: SECRET, WEBHOOK_SECRET_PREVIOUS: PREVIOUS },
});
const service = client(workers);

const upload = async (url, bytes = examplePng(60, 40)) => {
  const response = await workers.fetch(`/thumbnails?webhook=${encodeURIComponent(url)}`, raw(bytes, "image/png"));
  assert.equal(response.status, 202, await response.clone().text());
  return response.json();
};

/** Waits until a webhook has come to a status and returns the document of it. */
const told = (job, wanted) =>
  eventually(`the webhook of ${job.id} to be ${wanted}`, async () => {
    const { webhook } = await service.status(job);
    return webhook.status === wanted && webhook;
  });

test("a receiver is told what the status document says", async () => {
  const { url, requests } = await receiver(status(204));
  const job = await upload(url);
  const webhook = await told(job, "delivered");
  assert.equal(webhook.url, new URL(url).origin);
  assert.deepEqual(statuses(webhook), [204]);
  assertOneEvent(requests, job, "thumbnail.done");
  assert.equal(requests[0].headers["webhook-id"], `msg_${job.id}_done_0_0`);
  const { data } = JSON.parse(requests[0].body);
  const { webhook: _, ...document } = await service.status(job);
  // What the receiver answers is a change too.
  const { revision, updated_at } = data;
  assert.deepEqual(data, { ...document, revision, updated_at });
  assert.equal(requests[0].url, "/hook?token=hush-hush");
});

test("a receiver that fails is told again", async () => {
  const { url, requests } = await receiver(status(500), status(429, { "retry-after": "3" }), status(200));
  const job = await upload(url);
  assert.deepEqual(statuses(await told(job, "delivered")), [500, 429, 200]);
  assertOneEvent(requests, job, "thumbnail.done");
  const [first, second, third] = requests.map(({ at }) => at);
  assert.ok(second - first >= 1_000 && third - second >= 3_000, `${second - first} ms, then ${third - second} ms`);
});

test("410 ends it: later events are not told either", async () => {
  const { url, requests } = await receiver(status(410));
  const job = await upload(url);
  assert.deepEqual(statuses(await told(job, "unwanted")), [410]);
  assert.equal((await workers.fetch(`/thumbnails/${job.id}`, { method: "DELETE" })).status, 204);
  // With 410, as there is nothing left but this.
  const { status: state, webhook } = await (await workers.fetch(`/thumbnails/${job.id}`)).json();
  assert.deepEqual([state, webhook.status, webhook.deliveries.length], ["cancelled", "unwanted", 1]);
  assert.equal(requests.length, 1);
});

test("an event that was given up is an alert, and can be told again", async () => {
  const failing = [1, 2, 3].map(() => status(503));
  const { url, requests } = await receiver(...failing, status(200));
  const job = await upload(url);
  const webhook = await told(job, "given_up");
  assert.deepEqual(statuses(webhook), [503, 503, 503]);
  assert.equal(requests.length, ATTEMPTS);
  const alerts = workers.logs().filter(({ level, message }) => level === "error" && message.includes("webhook_given_up"));
  assert.ok(alerts.some(({ message }) => message.includes(job.id)));
  const again = await workers.fetch(`/thumbnails/${job.id}/webhook/retry`, { method: "POST" });
  assert.equal(again.status, 202);
  await told(job, "delivered");
  assertOneEvent(requests, job, "thumbnail.done");
});

test("failures and deletions are told too, each under an id of its own", async () => {
  const { url, requests } = await receiver(status(200));
  const failed = await upload(url, brokenPng());
  await told(failed, "delivered");
  const done = await upload(url);
  await told(done, "delivered");
  await workers.fetch(`/thumbnails/${done.id}`, { method: "DELETE" });
  const types = (id) => requests.filter(({ body }) => body.includes(id)).map(({ body }) => JSON.parse(body).type);
  await eventually("the last event", async () => types(done.id).length === 2);
  assert.deepEqual(types(done.id), ["thumbnail.done", "thumbnail.cancelled"]);
  assert.deepEqual(types(failed.id), ["thumbnail.failed"]);
  assert.equal(new Set(requests.map(({ headers }) => headers["webhook-id"])).size, 3);
});

test("messages that come ten times make one thumbnail and one event", async () => {
  const { url, requests } = await receiver(status(200));
  const job = await upload(url);
  await told(job, "delivered");
  const event = JSON.parse(requests[0].body).data.revision;
  const message = JSON.stringify({ v: 1, job: job.id, event });
  const result = await workers.deliver(Array(10).fill(message), "edge-thumbnails-webhooks");
  assert.deepEqual([result.outcome, result.explicitAcks.length], ["ok", 10]);
  const { status: state, thumbnails, revision } = await service.status(job);
  const bytes = await service.bytes(job);
  await workers.deliver(Array(10).fill(resize(job.id)));
  assert.deepEqual([state, thumbnails.length], ["done", 1]);
  assert.equal((await service.status(job)).revision, revision);
  assert.ok((await service.bytes(job)).equals(bytes));
  assert.equal(requests.length, 1);
});

test("an address that cannot be is refused before anything is stored", async () => {
  const refused = async (response) => {
    assert.equal(response.status, 400);
    const { type, errors } = await response.json();
    assert.ok(type.endsWith("/problems/invalid-option"));
    assert.deepEqual(errors.map(({ pointer }) => pointer), ["#/webhook"]);
    assert.doesNotMatch(JSON.stringify(errors), /hush/);
  };
  const { IMAGES } = await workers.env();
  const before = (await IMAGES.list({ prefix: "source/" })).objects.length;
  const file = { bytes: examplePng(9, 9), filename: "a.png" };
  for (const url of ["http://example.com/?hush", "https://10.0.0.1/", "https://user:hush@example.com/", "https://metadata.google.internal/"]) {
    const query = `/thumbnails?webhook=${encodeURIComponent(url)}`;
    await refused(await workers.fetch(query, raw(file.bytes, "image/png")));
    await refused(await workers.fetch("/thumbnails", await form({ webhook: url, image: file })));
    await refused(await workers.fetch("/thumbnails", await form({ image: file, webhook: url })));
  }
  assert.equal((await IMAGES.list({ prefix: "source/" })).objects.length, before);
});

test("a job without a webhook has nothing to tell", async () => {
  const job = await service.ended(await service.upload(examplePng(30, 30)));
  assert.equal(job.webhook, undefined);
  const response = await workers.fetch(`/thumbnails/${job.id}/webhook/retry`, { method: "POST" });
  assert.equal(response.status, 409);
  assert.ok((await response.json()).type.endsWith("/problems/nothing-to-tell"));
});

test("no log line has a secret or the whole address of a receiver", () => {
  const text = JSON.stringify(workers.logs());
  for (const secret of [SECRET, PREVIOUS, SECRET.slice(6), "hush-hush", "v1,"]) assert.ok(!text.includes(secret), secret);
});
