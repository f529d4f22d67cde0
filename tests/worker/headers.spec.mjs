//! What answers say beside their bodies: names, links, ids, times, and how long they may be kept.

import assert from "node:assert/strict";
import { before, describe, test } from "node:test";
import { picture } from "../images/pictures.mjs";
import { client, form } from "./client.mjs";
import { harness } from "./harness.mjs";

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const JPEG = picture("photo.jpg");

describe("a service as it ships", () => {
  const workers = harness();
  const service = client(workers);
  let job;

  before(async () => {
    job = await service.upload(JPEG, "Käse \u202e../../🧀.jpeg");
    await service.bytes(job);
  });

  const head = async (path, headers) => (await workers.fetch(path, { method: "HEAD", headers })).headers;

  test("a thumbnail is saved under the name of its source, made harmless", async () => {
    const headers = await head(new URL(job.resized_image_url).pathname);
    assert.equal(headers.get("content-disposition"), `inline; filename="_.jpg"; filename*=UTF-8''%F0%9F%A7%80.jpg`);
  });

  test("a size adds its name, and an image without a name keeps that of its URL", async () => {
    const fields = { sizes: "small:20x20", image: { bytes: JPEG, filename: "cat.png" } };
    const named = await (await workers.fetch("/thumbnails", await form(fields))).json();
    await service.ended(named);
    const headers = await head(new URL(named.resized_image_url).pathname);
    assert.equal(headers.get("content-disposition"), 'inline; filename="cat_small.jpg"');
    const init = { method: "POST", headers: { "content-type": "image/jpeg" }, body: JPEG };
    const nameless = await (await workers.fetch("/thumbnails", init)).json();
    await service.ended(nameless);
    const own = await head(new URL(nameless.resized_image_url).pathname);
    assert.equal(own.get("content-disposition"), `inline; filename="${nameless.id}.jpg"`);
  });

  test("answers link to the status and to the description of the service", async () => {
    const status = `/thumbnails/${job.id}`;
    for (const path of [status, `${status}.jpg`]) {
      const link = (await head(path)).get("link");
      assert.ok(link.includes(`<${path}>; rel="self"`), link);
      assert.ok(link.includes(`<${status}>; rel="status"`), link);
      assert.ok(link.includes('</openapi.json>; rel="service-desc"'), link);
      assert.ok(link.includes('</docs>; rel="service-doc"'), link);
    }
    const accepted = await workers.fetch("/thumbnails", await form({ image: { bytes: JPEG, filename: "a.jpg" } }));
    const { id } = await accepted.json();
    assert.ok(accepted.headers.get("link").includes(`</thumbnails/${id}>; rel="status"`));
  });

  test("every answer has the request's id, which stands in the log too", async () => {
    for (const path of ["/healthz", "/nothing", `/thumbnails/${job.id}.jpg`]) {
      assert.equal((await head(path, { "x-request-id": "order-77" })).get("x-request-id"), "order-77");
    }
    const [one, other] = [await head("/healthz"), await head("/healthz")].map((h) => h.get("x-request-id"));
    assert.match(one, UUID);
    assert.match(other, UUID);
    assert.notEqual(one, other);
    assert.match((await head("/healthz", { "x-request-id": 'a"b' })).get("x-request-id"), UUID);
    assert.ok(workers.logs().some(({ message }) => message.includes("order-77") && message.includes("/healthz")));
  });

  test("an answer says how long each binding took, and one that asked none says nothing", async () => {
    const times = (headers) => (headers.get("server-timing") ?? "").split(", ").filter(Boolean);
    const thumbnail = times(await head(`/thumbnails/${job.id}.jpg`));
    assert.equal(thumbnail.length, 1);
    assert.match(thumbnail[0], /^r2;dur=\d+$/);
    const accepted = await workers.fetch("/thumbnails", await form({ image: { bytes: JPEG, filename: "a.jpg" } }));
    await accepted.arrayBuffer();
    assert.match(accepted.headers.get("server-timing"), /^r2;dur=\d+.*, job;dur=\d+/);
    assert.deepEqual(times(await head("/healthz")), []);
  });

  test("the document tells how long the job waited and worked", async () => {
    const { timings, created_at, updated_at } = await service.status(job);
    assert.ok(Number.isInteger(timings.queued_ms) && Number.isInteger(timings.processing_ms), JSON.stringify(timings));
    // The job changed for the last time when it was done.
    const whole = new Date(updated_at) - new Date(created_at);
    assert.equal(timings.queued_ms + timings.processing_ms, whole);
  });

  test("a thumbnail may be kept for a day, and is asked for again by a reload", async () => {
    const headers = await head(`/thumbnails/${job.id}.jpg`);
    assert.equal(headers.get("cache-control"), "public, max-age=86400");
  });

  test("a deleted thumbnail is gone at once", async () => {
    const doomed = await service.upload(JPEG, "a.jpg");
    await service.bytes(doomed);
    const path = new URL(doomed.resized_image_url).pathname;
    for (let i = 0; i < 5; i++) assert.equal((await workers.fetch(path)).status, 200);
    assert.equal((await workers.fetch(`/thumbnails/${doomed.id}`, { method: "DELETE" })).status, 204);
    for (let i = 0; i < 5; i++) {
      const response = await workers.fetch(path);
      assert.equal(response.status, 410);
      assert.equal(response.headers.get("cache-control"), "no-store");
      await response.arrayBuffer();
    }
  });
});

describe("a service that lets caches keep little", () => {
  const workers = harness({ vars: { CACHE_SECS: "30" } });
  const service = client(workers);

  test("says so", async () => {
    const job = await service.upload(JPEG, "a.jpg");
    await service.bytes(job);
    const response = await service.thumbnail(job, { method: "HEAD" });
    assert.equal(response.headers.get("cache-control"), "public, max-age=30");
  });
});
