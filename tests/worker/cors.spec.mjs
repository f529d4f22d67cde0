//! What a page of another origin may do, and which methods a URL takes.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { examplePng } from "../../src/tools/example.mjs";
import { client, raw } from "./client.mjs";
import { harness } from "./harness.mjs";

const NEVER_A_JOB = "/thumbnails/01900000-0000-7000-8000-000000000000";
const PAGE = "https://shop.example";

/** What a browser asks before a page of another origin may send `method` with these headers. */
const preflight = (method, headers = "content-type,idempotency-key,prefer", origin = PAGE) => ({
  method: "OPTIONS",
  headers: { origin, "access-control-request-method": method, "access-control-request-headers": headers },
});

const list = (value) => (value ?? "").split(",").map((member) => member.trim().toLowerCase()).filter(Boolean);

describe("where every origin may call", () => {
  const workers = harness();
  const service = client(workers);

  for (const [path, allow] of [
    ["/thumbnails", "GET, HEAD, POST, OPTIONS"],
    ["/thumbnails/", "GET, HEAD, POST, OPTIONS"],
    [NEVER_A_JOB, "GET, HEAD, POST, DELETE, OPTIONS"],
    [`${NEVER_A_JOB}.png`, "GET, HEAD, OPTIONS"],
    [`${NEVER_A_JOB}/retry`, "POST, OPTIONS"],
    ["/thumbnail/cat.png", "GET, HEAD, OPTIONS"],
    ["/problems/gone", "GET, HEAD, OPTIONS"],
    ["/healthz", "GET, HEAD, OPTIONS"],
    ["/", "GET, HEAD, OPTIONS"],
    ["/docs", "GET, HEAD, OPTIONS"],
    ["/docs/clients", "GET, HEAD, OPTIONS"],
    ["/docs/swagger-ui.css", "GET, HEAD, OPTIONS"],
    ["/docs/nothing", "GET, HEAD, OPTIONS"],
    ["/openapi.json", "GET, HEAD, OPTIONS"],
  ]) {
    test(`${path} says what it takes, and refuses the rest`, async () => {
      const options = await workers.fetch(path, { method: "OPTIONS" });
      assert.equal(options.status, 204);
      assert.equal(options.headers.get("allow"), allow);
      assert.equal((await options.arrayBuffer()).byteLength, 0);
      for (const method of ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]) {
        const response = await workers.fetch(path, { method });
        assert.equal(response.status === 405, !list(allow).includes(method.toLowerCase()), `${method}: ${response.status}`);
        if (response.status === 405) assert.equal(response.headers.get("allow"), allow);
        await response.arrayBuffer();
      }
    });
  }

  test("a preflight is answered for hours, with all that an upload may carry", async () => {
    const response = await workers.fetch("/thumbnails", preflight("POST"));
    assert.equal(response.status, 204);
    assert.equal(response.headers.get("access-control-allow-origin"), "*");
    assert.ok(list(response.headers.get("access-control-allow-methods")).includes("post"));
    const allowed = list(response.headers.get("access-control-allow-headers"));
    for (const name of ["content-type", "idempotency-key", "prefer", "range", "if-none-match"]) {
      assert.ok(allowed.includes(name), name);
    }
    // What upload widgets and tracing libraries add to every request.
    for (const name of ["cache-control", "x-requested-with", "traceparent", "tracestate", "sentry-trace", "baggage"]) {
      assert.ok(allowed.includes(name), name);
    }
    assert.equal(response.headers.get("access-control-max-age"), "7200");
    assert.equal(response.headers.get("vary"), null);
  });

  test("a page may read answers and refusals alike", async () => {
    const headers = { origin: PAGE };
    const job = await service.upload(examplePng(20, 20));
    await service.bytes(job);
    const answers = {
      200: await service.thumbnail(job, { headers }),
      202: await workers.fetch("/thumbnails", { ...raw(examplePng(9, 9), "image/png"), headers: { ...headers, "content-type": "image/png" } }),
      304: await service.thumbnail(job, { headers: { ...headers, "if-none-match": "*" } }),
      404: await workers.fetch("/nothing", { headers }),
      405: await workers.fetch("/healthz", { method: "PUT", headers }),
      415: await workers.fetch("/thumbnails", { method: "POST", headers, body: "x" }),
    };
    for (const [status, response] of Object.entries(answers)) {
      await response.arrayBuffer();
      assert.equal(response.status, Number(status));
      assert.equal(response.headers.get("access-control-allow-origin"), "*", status);
      const exposed = list(response.headers.get("access-control-expose-headers"));
      for (const name of ["location", "retry-after", "etag", "link", "server-timing", "preference-applied", "ratelimit"]) {
        assert.ok(exposed.includes(name), `${status}: ${name}`);
      }
      assert.equal(response.headers.get("access-control-allow-credentials"), null);
    }
  });
});

describe("where only some origins may call", () => {
  const workers = harness({ vars: { CORS_ORIGINS: `${PAGE}, http://localhost:5173` } });

  for (const [origin, allowed] of [
    [PAGE, PAGE],
    ["http://localhost:5173", "http://localhost:5173"],
    ["https://shop.example.evil.example", null],
    ["null", null],
    [undefined, null],
  ]) {
    test(`${origin}: ${allowed ? "allowed" : "not allowed"}, and no cache mixes it up`, async () => {
      const headers = origin ? { origin } : {};
      for (const response of [
        await workers.fetch("/healthz", { headers }),
        await workers.fetch("/nothing", { headers }),
        await workers.fetch("/thumbnails", origin ? preflight("POST", undefined, origin) : { method: "OPTIONS" }),
      ]) {
        await response.arrayBuffer();
        assert.equal(response.headers.get("access-control-allow-origin"), allowed);
        assert.deepEqual(list(response.headers.get("vary")), ["origin"]);
      }
    });
  }
});

describe("where an origin is written wrongly", () => {
  const workers = harness({ vars: { CORS_ORIGINS: "shop.example" } });

  test("the service says so in its log and answers 500", async () => {
    const response = await workers.fetch("/healthz");
    assert.equal(response.status, 500);
    assert.equal((await response.json()).title, "The service has a fault");
    assert.ok(workers.logs().some(({ message }) => message.includes("CORS_ORIGINS must be")));
  });
});
