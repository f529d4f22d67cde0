//! Live status of several jobs over one connection.
//!
//! Only the edge runs here, so that nothing but the commands of a test changes a job.

import assert from "node:assert/strict";
import { before, test } from "node:test";
import { flatPng } from "../images/pictures.mjs";
import { client } from "./client.mjs";
import { harness } from "./harness.mjs";
import { command, newId } from "./jobs.mjs";
import { listen, stream } from "./listeners.mjs";

const MAX_JOBS = 12;

const workers = harness({ configs: ["wrangler.toml"], vars: { MAX_LISTENED_JOBS: String(MAX_JOBS) } });
const service = client(workers);
const picture = flatPng(8, 8);

let origin;
before(async () => {
  ({ url: origin } = await workers.server.listen());
});

const eventsOf = (...jobs) => new URL(`/events?ids=${jobs.map(({ id }) => id).join()}`, origin);
const uploads = (count) => Promise.all(Array.from({ length: count }, () => service.upload(picture)));
const start = ({ id }) => command(workers, id, { command: "start" });
const finish = ({ id }) => command(workers, id, { command: "finish", thumbnails: [], source_width: 8, source_height: 8, thumbhash: "", peak_memory_bytes: null });

/** Reads documents until each of the jobs has been in the state. */
async function heard(read, jobs, status) {
  const missing = new Set(jobs.map(({ id }) => id));
  while (missing.size > 0) {
    const document = await read();
    if (document.status === status) missing.delete(document.id);
  }
}

test("one WebSocket follows many jobs to the end of the last", async () => {
  const jobs = await uploads(MAX_JOBS);
  const listener = await listen(eventsOf(...jobs));
  await heard(listener.document, jobs, "pending");
  await Promise.all(jobs.map(start));
  await heard(listener.document, jobs, "processing");
  await Promise.all(jobs.map(finish));
  await heard(listener.document, jobs, "done");
  assert.equal((await listener.next()).code, 1000);
});

test("one stream follows many jobs, and its event ids tell of all of them", async () => {
  const jobs = await uploads(3);
  const first = await stream(eventsOf(...jobs));
  const read = async () => (await first.event()).document;
  await heard(read, jobs, "pending");
  await start(jobs[1]);
  const { id, document } = await first.event();
  assert.equal(document.id, jobs[1].id);
  assert.deepEqual(id.split(","), ["1", String(document.revision), "1"]);
  first.close();

  await finish(jobs[0]);
  const second = await stream(eventsOf(...jobs), id);
  const news = await second.event();
  assert.deepEqual([news.document.id, news.document.status], [jobs[0].id, "done"]);
  await Promise.all([finish(jobs[1]), finish(jobs[2])]);
  await heard(async () => (await second.event()).document, jobs.slice(1), "done");
  await second.ended();
});

test("a job whose object was reset is asked again; the others notice nothing", async () => {
  const jobs = await uploads(3);
  const listener = await listen(eventsOf(...jobs));
  await heard(listener.document, jobs, "pending");
  await workers.evictJob(jobs[1].id, "close");
  await start(jobs[1]);
  assert.deepEqual((({ id, status }) => [id, status])(await listener.document()), [jobs[1].id, "processing"]);
  await Promise.all(jobs.map(finish));
  await heard(listener.document, jobs, "done");
  assert.equal((await listener.next()).code, 1000);
});

test("a WebSocket without ids takes them by message and stays open", async () => {
  const listener = await listen(new URL("/events", origin));
  for (const job of await uploads(2)) {
    listener.send(job.id);
    assert.equal((await listener.document()).status, "pending");
    await finish(job);
    assert.equal((await listener.document()).status, "done");
  }
  listener.send("ping");
  assert.deepEqual(await listener.next(), { text: "pong" });

  const unknown = newId();
  listener.send(unknown);
  const { id, problem } = await listener.document();
  assert.deepEqual([id, problem.status], [unknown, 404]);
  listener.send("nonsense");
  assert.equal((await listener.document()).problem.status, 400);
  listener.send("x".repeat(50_000));
  assert.equal((await listener.next()).code, 1009);
});

test("jobs that never were are named, before any upgrade", async () => {
  const [job] = await uploads(1);
  const unknown = { id: newId() };
  const { response } = await stream(eventsOf(job, unknown));
  assert.equal(response.status, 404);
  const { errors } = await response.json();
  assert.deepEqual(errors, [{ pointer: "#/ids", detail: `there is no job ${unknown.id}` }]);
  await assert.rejects(listen(eventsOf(job, unknown)));
});

for (const [what, ids] of [
  ["nothing", ""],
  ["what is no id", "x"],
  ["too many jobs", Array.from({ length: MAX_JOBS + 1 }, () => newId()).join()],
]) {
  test(`a stream of ${what} is refused`, async () => {
    const { response } = await stream(new URL(`/events?ids=${ids}`, origin));
    assert.equal(response.status, 400);
    assert.equal((await response.json()).errors[0].pointer, "#/ids");
  });
}
