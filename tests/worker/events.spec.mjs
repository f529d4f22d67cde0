//! Live status of one job: what listeners are told, when they are refused, and how they come back.
//!
//! Only the edge runs here, so that nothing but the commands of a test changes a job.

import assert from "node:assert/strict";
import { once } from "node:events";
import { before, test } from "node:test";
import WebSocket from "ws";
import { flatPng } from "../images/pictures.mjs";
import { client, eventually } from "./client.mjs";
import { harness } from "./harness.mjs";
import { command, newId } from "./jobs.mjs";
import { listen, stream } from "./listeners.mjs";

const MAX_LISTENERS = 3;
const FAILURE = { kind: "damaged-image", detail: "it is damaged" };

const workers = harness({
  configs: ["wrangler.toml"],
  vars: { MAX_LISTENERS: String(MAX_LISTENERS), HEARTBEAT_SECS: "1" },
});
const service = client(workers);
const picture = flatPng(8, 8);

let origin;
before(async () => {
  ({ url: origin } = await workers.server.listen());
});
const at = (path) => new URL(path, origin);
const eventsOf = ({ id }) => at(`/thumbnails/${id}/events`);

const start = ({ id }) => command(workers, id, { command: "start" });
const retry = ({ id }, attempt) => command(workers, id, { command: "retry", attempt, reason: "R2 is away" });
const finish = ({ id }) => command(workers, id, { command: "finish", thumbnails: [], source_width: 8, source_height: 8, thumbhash: "", peak_memory_bytes: null });
const fail = ({ id }) => command(workers, id, { command: "fail", failure: FAILURE });

test("a WebSocket hears the current state, each change, and the end", async () => {
  const job = await service.upload(picture);
  const listener = await listen(eventsOf(job));
  assert.deepEqual(await listener.document(), await service.status(job));
  await start(job);
  const processing = await listener.document();
  assert.equal(processing.status, "processing");
  assert.deepEqual(processing, await service.status(job));
  await retry(job, 1);
  assert.equal((await listener.document()).status, "retrying");
  await start(job);
  assert.equal((await listener.document()).attempts, 2);
  await finish(job);
  const done = await listener.document();
  assert.equal(done.status, "done");
  assert.equal(done.status_url, at(`/thumbnails/${job.id}`).href);
  assert.equal((await listener.next()).code, 1000);
});

test("a stream hears the same, with the revision as its event id", async () => {
  const job = await service.upload(picture);
  const listener = await stream(eventsOf(job));
  const { headers, status } = listener.response;
  assert.equal(status, 200);
  assert.equal(headers.get("content-type"), "text/event-stream");
  assert.equal(headers.get("cache-control"), "no-store");
  assert.deepEqual(await listener.next(), { retry: "1000" });
  const pending = await listener.event();
  assert.deepEqual(pending.document, await service.status(job));
  assert.equal(pending.id, String(pending.document.revision));
  await start(job);
  const processing = await listener.event();
  assert.equal(processing.document.status, "processing");
  assert.ok(Number(processing.id) > Number(pending.id));
  await fail(job);
  const { document } = await listener.event();
  assert.equal(document.status, "failed");
  assert.equal(document.problem.detail, FAILURE.detail);
  await listener.ended();
});

test("who comes back is told only what is new", async () => {
  const job = await service.upload(picture);
  const first = await stream(eventsOf(job));
  const { id } = await first.event();
  first.close();
  const second = await stream(eventsOf(job), id);
  await start(job);
  const { document, id: last } = await second.event();
  assert.equal(document.status, "processing");
  second.close();
  await finish(job);
  const third = await stream(eventsOf(job), last);
  assert.equal((await third.event()).document.status, "done");
  await third.ended();
});

test("who knows the end already is told not to come back", async () => {
  const job = await service.upload(picture);
  await start(job);
  await finish(job);
  const { revision } = await service.status(job);
  assert.equal((await stream(eventsOf(job), String(revision))).response.status, 204);
  const url = eventsOf(job);
  url.searchParams.set("last_event_id", revision);
  assert.equal((await (await listen(url)).next()).code, 1000);
});

/** Opens a socket that waits as long as it takes for the server to end the connection. */
async function open(url) {
  const socket = new WebSocket(url.href.replace(/^http/, "ws"), { closeTimeout: 3_600_000 });
  await once(socket, "open");
  return socket;
}

/** How many requests the service answers from the close frame until the connection has ended. */
async function requestsUntilEnd(socket) {
  let requests = 0;
  while (socket.readyState !== WebSocket.CLOSED) {
    await (await workers.fetch("/healthz")).arrayBuffer();
    if (socket.readyState !== WebSocket.OPEN) requests += 1;
  }
  return requests;
}

// A socket that was left to the platform stayed open for 10 s: for thousands of requests, however slow they are.
for (const [what, prepare, end] of [
  ["the job ends", () => {}, (job) => finish(job)],
  ["the job has ended before", async (job) => finish(job), () => {}],
  ["the client leaves", () => {}, (job, socket) => socket.close(1000)],
  ["the client says what is not for it to say", () => {}, (job, socket) => socket.send("hello")],
]) {
  test(`after both close frames the server ends the connection: ${what}`, async () => {
    const job = await service.upload(picture);
    await start(job);
    await prepare(job);
    const socket = await open(eventsOf(job));
    await end(job, socket);
    const requests = await requestsUntilEnd(socket);
    assert.ok(requests < 200, `${requests} requests`);
  });
}

test("an event id that cannot be is none", async () => {
  for (const id of ["999999", "x", "", "-1"]) {
    const job = await service.upload(picture);
    const listener = await stream(eventsOf(job), id);
    assert.equal((await listener.event()).document.status, "pending", id);
    listener.close();
  }
});

test("who listens while another size is made hears of it, and then the end", async () => {
  const job = await service.upload(picture);
  await start(job);
  await finish(job);
  const options = { width: 4, height: 4, dpr: 1, fit: "cover", gravity: "center", enlarge: true, background: "transparent", format: "source", quality: 80, progressive: false, linear: false, truncated: "accept", page: 0 };
  await command(workers, job.id, { command: "extend", variants: [{ name: "small", ...options }] });
  const listener = await stream(eventsOf(job));
  const coming = (await listener.event()).document;
  assert.deepEqual([coming.status, coming.later.map(({ name, status }) => [name, status])], ["done", [["small", "pending"]]]);
  await start(job);
  assert.deepEqual((await listener.event()).document.later.map(({ status }) => status), ["processing"]);
  const thumbnail = { name: "small", format: "png", width: 4, height: 4, bytes: 9, etag: "e" };
  await command(workers, job.id, { command: "finish", thumbnails: [thumbnail], source_width: 8, source_height: 8, thumbhash: "", peak_memory_bytes: null });
  const made = (await listener.event()).document;
  assert.deepEqual([made.later, made.thumbnails.map(({ name }) => name)], [undefined, ["small"]]);
  await listener.ended();
});

test("a job that ended before is told once", async () => {
  const job = await service.upload(picture);
  await workers.fetch(`/thumbnails/${job.id}`, { method: "DELETE" });
  const listener = await listen(eventsOf(job));
  assert.equal((await listener.document()).status, "cancelled");
  assert.equal((await listener.next()).code, 1000);
  const events = await stream(eventsOf(job));
  assert.equal((await events.event()).document.status, "cancelled");
  await events.ended();
});

test("a job that never was is not found, before any upgrade", async () => {
  const url = eventsOf({ id: newId() });
  const { response } = await stream(url);
  assert.equal(response.status, 404);
  assert.equal(response.headers.get("content-type"), "application/problem+json");
  await assert.rejects(listen(url));
});

test("a client that asks for something else learns what there is", async () => {
  const job = await service.upload(picture);
  const response = await fetch(eventsOf(job), { headers: { accept: "application/json" } });
  assert.equal(response.status, 406);
  assert.match((await response.json()).detail, /WebSocket.*text\/event-stream/);
});

test("listeners beyond the limit are sent away, until others have gone", async () => {
  const job = await service.upload(picture);
  const listeners = [];
  for (let i = 0; i < MAX_LISTENERS; i++) listeners.push(await listen(eventsOf(job)));
  const { response } = await stream(eventsOf(job));
  assert.equal(response.status, 503);
  assert.match(response.headers.get("retry-after"), /^\d+$/);
  assert.match((await response.json()).detail, new RegExp(`${MAX_LISTENERS} listeners`));
  await assert.rejects(listen(eventsOf(job)));
  await start(job);
  for (const listener of listeners) {
    assert.equal((await listener.document()).status, "pending");
    assert.equal((await listener.document()).status, "processing");
  }
  listeners[0].close();
  assert.equal((await listeners[0].next()).code, 1000);
  // Each leaves before the next comes.
  for (let i = 0; i < 2 * MAX_LISTENERS; i++) {
    const late = await eventually("room for one more", async () => {
      const late = await stream(eventsOf(job));
      return late.response.status === 200 && late;
    });
    assert.equal((await late.event()).document.status, "processing");
    late.close();
  }
});

test("a WebSocket outlives the sleep of its object", async () => {
  const job = await service.upload(picture);
  const listener = await listen(eventsOf(job));
  await listener.document();
  await workers.evictJob(job.id, "hibernate");
  await start(job);
  assert.equal((await listener.document()).status, "processing");
  await workers.evictJob(job.id, "hibernate");
  await finish(job);
  assert.equal((await listener.document()).status, "done");
  assert.equal((await listener.next()).code, 1000);
});

test("a stream whose object was reset goes on and misses nothing", async () => {
  const job = await service.upload(picture);
  const listener = await stream(eventsOf(job));
  await listener.event();
  await workers.evictJob(job.id, "close");
  await start(job);
  assert.equal((await listener.event()).document.status, "processing");
  await workers.evictJob(job.id, "close");
  await finish(job);
  assert.equal((await listener.event()).document.status, "done");
  await listener.ended();
});

test("a silent stream shows that it is alive", async () => {
  const job = await service.upload(picture);
  const listener = await stream(eventsOf(job));
  await listener.event();
  assert.deepEqual(await listener.next(), { comment: "" });
  listener.close();
});

test("a ping is answered; who says anything else is hung up on", async () => {
  const job = await service.upload(picture);
  const listener = await listen(eventsOf(job));
  await listener.document();
  listener.send("ping");
  assert.deepEqual(await listener.next(), { text: "pong" });
  listener.send("hello");
  assert.equal((await listener.next()).code, 1008);
});
