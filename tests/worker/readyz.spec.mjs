//! Whether the service says truly that it can do its work.

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { harness } from "./harness.mjs";

const workers = harness();

test("every binding is asked, and nothing is stored by that", async () => {
  const response = await workers.fetch("/readyz");
  const document = await response.json();
  assert.equal(response.status, 200, JSON.stringify(document));
  assert.equal(response.headers.get("cache-control"), "no-store");
  assert.equal(document.status, "ready");
  assert.deepEqual(document.checks.map(({ name, ok }) => [name, ok]), [["r2", true], ["kv", true], ["job", true], ["queue", true]]);
  for (const { ms } of document.checks) assert.ok(Number.isInteger(ms) && ms < 5_000);
  // The job that was asked for has never been.
  assert.equal((await workers.fetch("/thumbnails/00000000-0000-7000-8000-000000000000")).status, 404);
  const { IMAGES } = await workers.env();
  assert.deepEqual((await IMAGES.list()).objects, []);
});

describe("where jobs are listed", () => {
  const listing = harness({ vars: { LISTING: "1" } });

  test("the index is asked too", async () => {
    const { checks } = await (await listing.fetch("/readyz")).json();
    assert.deepEqual(checks.filter(({ ok }) => ok).map(({ name }) => name), ["r2", "kv", "job", "queue", "d1"]);
  });
});
