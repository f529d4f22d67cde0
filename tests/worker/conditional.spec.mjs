//! Reads by clients that have the thumbnail, or a part of it: RFC 9110, sections 13 and 14.

import assert from "node:assert/strict";
import { before, test } from "node:test";
import { picture } from "../images/pictures.mjs";
import { client } from "./client.mjs";
import { harness } from "./harness.mjs";

const workers = harness();
const service = client(workers);
const SAID_ALWAYS = ["etag", "last-modified", "cache-control", "accept-ranges", "x-content-type-options"];
const LONG_AGO = "Sun, 06 Nov 1994 08:49:37 GMT";
const FAR_AHEAD = "Fri, 31 Dec 2100 23:59:59 GMT";

let job, bytes, etag, modified;

before(async () => {
  job = await service.upload(picture("photo.jpg"));
  bytes = await service.bytes(job);
  const { headers } = await service.thumbnail(job, { method: "HEAD" });
  [etag, modified] = [headers.get("etag"), headers.get("last-modified")];
});

/** Asks for the thumbnail and returns the response with its bytes read. */
async function ask(headers, method = "GET") {
  const response = await service.thumbnail(job, { method, headers });
  return { response, status: response.status, body: Buffer.from(await response.arrayBuffer()) };
}

test("a thumbnail says how to recognise it", () => {
  assert.match(etag, /^"[^"]+"$/);
  assert.equal(new Date(modified).toUTCString(), modified);
  assert.ok(Math.abs(new Date(modified) - Date.now()) < 60_000, modified);
});

for (const [what, headers, status] of [
  ["its tag", () => ({ "if-none-match": etag }), 304],
  ["its tag and an older date", () => ({ "if-none-match": etag, "if-modified-since": LONG_AGO }), 304],
  ["another tag and a later date", () => ({ "if-none-match": '"x"', "if-modified-since": FAR_AHEAD }), 200],
  ["its date", () => ({ "if-modified-since": modified }), 304],
  ["an older date", () => ({ "if-modified-since": LONG_AGO }), 200],
  ["no date", () => ({ "if-modified-since": "yesterday" }), 200],
  ["the wish for its tag", () => ({ "if-match": etag }), 200],
  ["the wish for any", () => ({ "if-match": "*" }), 200],
  ["the wish for another tag", () => ({ "if-match": '"x"' }), 412],
  ["the wish for its tag, weakly", () => ({ "if-match": `W/${etag}` }), 412],
  ["the wish for what is older", () => ({ "if-unmodified-since": LONG_AGO }), 412],
  ["the wish for its tag, and an older date", () => ({ "if-match": etag, "if-unmodified-since": LONG_AGO }), 200],
  ["a wish that fails and a tag that it has", () => ({ "if-match": '"x"', "if-none-match": etag }), 412],
]) {
  test(`${what}: ${status}`, async () => {
    const [get, head, whole] = [await ask(headers()), await ask(headers(), "HEAD"), await ask({})];
    assert.equal(get.status, status);
    assert.equal(head.status, status);
    assert.equal(head.body.length, 0);
    if (status === 200) assert.ok(get.body.equals(bytes));
    if (status === 304) assert.equal(get.body.length, 0);
    if (status === 412) assert.ok(JSON.parse(get.body).type.endsWith("/problems/precondition-failed"));
    if (status === 412) return;
    for (const name of [...SAID_ALWAYS, "access-control-allow-origin"]) {
      assert.equal(get.response.headers.get(name), whole.response.headers.get(name), name);
      assert.equal(head.response.headers.get(name), whole.response.headers.get(name), name);
    }
  });
}

for (const [range, from, to] of [
  ["bytes=0-0", 0, 1],
  ["bytes=0-99", 0, 100],
  ["bytes=100-", 100, undefined],
  ["bytes=-10", -10, undefined],
  ["bytes=5-99999999", 5, undefined],
]) {
  test(`${range}: 206 with these bytes`, async () => {
    const { response, status, body } = await ask({ range });
    const wanted = bytes.subarray(from, to);
    assert.equal(status, 206);
    assert.ok(body.equals(wanted));
    const first = bytes.length - bytes.subarray(from).length;
    assert.equal(response.headers.get("content-range"), `bytes ${first}-${first + wanted.length - 1}/${bytes.length}`);
    assert.equal(Number(response.headers.get("content-length")), wanted.length);
    assert.equal(response.headers.get("content-type"), "image/jpeg");
    assert.equal(response.headers.get("etag"), etag);
  });
}

for (const range of ["bytes=0-1,4-5", "lines=0-1", "bytes=5-1", "bytes=x-", "0-5"]) {
  test(`${range}: the whole`, async () => {
    const { response, status, body } = await ask({ range });
    assert.equal(status, 200);
    assert.ok(body.equals(bytes));
    assert.equal(response.headers.get("content-range"), null);
  });
}

for (const range of ["bytes=99999999-", "bytes=-0"]) {
  test(`${range}: 416 with the length`, async () => {
    const { response, status, body } = await ask({ range });
    assert.equal(status, 416);
    assert.equal(response.headers.get("content-range"), `bytes */${bytes.length}`);
    assert.equal(response.headers.get("cache-control"), "no-store");
    assert.ok(JSON.parse(body).type.endsWith("/problems/range-not-satisfiable"));
  });
}

test("a download goes on only where the thumbnail is still the same", async () => {
  const range = "bytes=10-";
  for (const [validator, status] of [[etag, 206], [modified, 206], ['"x"', 200], [`W/${etag}`, 200], [LONG_AGO, 200]]) {
    assert.equal((await ask({ range, "if-range": validator })).status, status, validator);
  }
});

test("HEAD takes no range", async () => {
  const { response, status } = await ask({ range: "bytes=0-9" }, "HEAD");
  assert.equal(status, 200);
  assert.equal(Number(response.headers.get("content-length")), bytes.length);
});

test("what is deleted is gone, whatever the client has of it", async () => {
  const other = await service.upload(picture("photo.jpg"));
  await service.bytes(other);
  const deleted = await workers.fetch(`/thumbnails/${other.id}`, { method: "DELETE" });
  assert.equal(deleted.status, 204);
  for (const headers of [{}, { "if-none-match": etag }, { "if-none-match": "*" }, { range: "bytes=0-1" }]) {
    for (const method of ["GET", "HEAD"]) {
      const response = await service.thumbnail(other, { method, headers });
      await response.arrayBuffer();
      assert.equal(response.status, 410);
      assert.equal(response.headers.get("cache-control"), "no-store");
    }
  }
});
