//! What the URLs of the service begin with: the host of each request, unless PUBLIC_ORIGIN says it.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { examplePng } from "../../src/tools/example.mjs";
import { client, eventually, raw } from "./client.mjs";
import { harness } from "./harness.mjs";
import { SECRET, receiver, status } from "./receiver.mjs";

const ORIGIN = "https://thumbs.example";
const PNG = examplePng(40, 30);

/** Everything in a document or a header that is a URL of the service, by what it is of. */
const origins = (value) => new Set(JSON.stringify(value).match(/https?:\/\/[^/"]+(?=\/(?:thumbnails|problems))/g));

describe("where PUBLIC_ORIGIN is set", () => {
  const workers = harness({
    vars: { PUBLIC_ORIGIN: ORIGIN, ALLOW_INSECURE_WEBHOOKS: "1" },
    secrets: { WEBHOOK_SECRET: SECRET },
  });
  const service = client(workers);

  test("answers have it, whatever host they were asked at", async () => {
    for (const host of ["http://127.0.0.1", "http://other.example"]) {
      const response = await workers.fetch(new URL("/thumbnails", host), raw(PNG, "image/png"));
      const job = await response.json();
      const done = await service.ended(job);
      const refused = await (await workers.fetch(new URL("/thumbnails/x", host))).json();
      const said = [job, done, refused, response.headers.get("location")];
      assert.deepEqual([...origins(said)], [ORIGIN]);
      assert.equal(done.resized_image_url, `${ORIGIN}/thumbnails/${job.id}.png`);
    }
  });

  test("webhooks and live status have it", async () => {
    const { url, requests } = await receiver(status(204));
    const response = await workers.fetch(`/thumbnails?webhook=${encodeURIComponent(url)}`, raw(PNG, "image/png"));
    const { id } = await response.json();
    const live = await workers.fetch(`/thumbnails/${id}/events`, { headers: { accept: "text/event-stream" } });
    assert.deepEqual([...origins(await live.text())], live.status === 204 ? [] : [ORIGIN]);
    const { body } = await eventually("the event", () => requests[0]);
    assert.deepEqual([...origins(JSON.parse(body))], [ORIGIN]);
  });
});

describe("where it is not set", () => {
  const workers = harness();

  test("each answer has the host that it was asked at", async () => {
    const upload = await workers.fetch(new URL("/thumbnails", "http://one.example"), raw(PNG, "image/png"));
    const job = await upload.json();
    assert.deepEqual([...origins(job)], ["http://one.example"]);
    const read = await workers.fetch(new URL(`/thumbnails/${job.id}`, "http://two.example:8080"));
    assert.deepEqual([...origins(await read.json())], ["http://two.example:8080"]);
  });
});

describe("where it is wrong", () => {
  const workers = harness({ vars: { PUBLIC_ORIGIN: `${ORIGIN}/path` } });

  test("the log says what it must be", async () => {
    assert.equal((await workers.fetch("/thumbnails/x")).status, 500);
    assert.ok(workers.logs().some(({ message }) => message.includes("PUBLIC_ORIGIN must be")));
  });
});
