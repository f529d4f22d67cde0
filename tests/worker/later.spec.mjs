//! Another size of an image that was uploaded before.

import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { describe as group, test } from "node:test";
import { brokenPng, describe, picture } from "../images/pictures.mjs";
import { client, eventually } from "./client.mjs";
import { harness } from "./harness.mjs";

const KEY = "a key of 32 characters, at least";
const workers = harness({
  vars: { VARIANTS_LATER: "signed", PRESETS: JSON.stringify({ avatar: { size: "48x48" } }) },
  secrets: { SIGNING_KEY: KEY },
});
const service = client(workers);

const JSON_TYPE = { "content-type": "application/json" };
const FORM = { "content-type": "application/x-www-form-urlencoded" };
const PHOTO = picture("photo.jpg"); // 160x120
const sign = (id, query) => createHmac("sha256", KEY).update(`${id}?${query}`).digest("hex");

/** Asks for another thumbnail of a job. */
const more = ({ id }, query, signature = sign(id, query)) =>
  workers.fetch(`/thumbnails/${id}?${query}&signature=${signature}`, { method: "POST" });

async function done() {
  const job = await service.upload(PHOTO, "photo.jpg");
  return service.ended(job);
}

async function refused(response, status, slug) {
  const document = await response.json();
  assert.equal(response.status, status, JSON.stringify(document));
  assert.ok(document.type.endsWith(`/problems/${slug}`), document.type);
}

const path = (url) => new URL(url).pathname;

test("it is made once, under a name that its options say, while the first one is served", async () => {
  const job = await done();
  const response = await more(job, "size=60x40&format=png");
  assert.equal(response.status, 202, await response.clone().text());
  assert.match(response.headers.get("retry-after"), /^\d+$/);
  const url = response.headers.get("location");
  assert.match(path(url), new RegExp(`^/thumbnails/${job.id}_60x40-[0-9a-f]{12}\\.png$`));
  const document = await response.json();
  assert.equal(document.status, "done");
  assert.deepEqual(document.thumbnails, job.thumbnails);
  assert.deepEqual(document.later.map(({ url, status }) => [url, status]), [[url, "pending"]]);
  assert.equal((await service.thumbnail(job)).status, 200);

  const bytes = await eventually("the thumbnail", async () => {
    const response = await workers.fetch(path(url));
    const body = Buffer.from(await response.arrayBuffer());
    if (response.status === 200) return body;
    assert.equal(response.status, 409, body.toString());
  });
  assert.deepEqual(describe(bytes), { format: "png", width: 60, height: 40 });

  const again = await more(job, "size=60x40&format=png");
  assert.equal(again.status, 200);
  assert.equal(again.headers.get("location"), url);
  const { thumbnails, later, attempts } = await again.json();
  assert.deepEqual(thumbnails.map(({ url }) => url), [job.resized_image_url, url]);
  assert.deepEqual([later, attempts], [undefined, 2]);
});

test("presets keep their names, and several come at once", async () => {
  const job = await done();
  const { later } = await (await more(job, "sizes=30x30,tall:10x60")).json();
  assert.deepEqual(later.map(({ name }) => name), ["30x30", "tall"]);
  for (const { url } of later) await eventually(url, async () => (await workers.fetch(path(url))).status === 200);
  const url = (await more(job, "preset=avatar")).headers.get("location");
  assert.equal(path(url), `/thumbnails/${job.id}_avatar.jpg`);
});

test("only what was signed for this job is made", async () => {
  const [job, other] = [await done(), await done()];
  for (const response of [
    await workers.fetch(`/thumbnails/${job.id}?width=50`, { method: "POST" }),
    await more(job, "width=50", sign(other.id, "width=50")),
    await more(job, "width=51", sign(job.id, "width=50")),
    await more(job, "width=50", "0".repeat(64)),
    await workers.fetch(`/thumbnails/${job.id}`, { method: "POST", headers: FORM, body: "width=50" }),
  ]) {
    await refused(response, 403, "bad-signature");
  }
  const { later, thumbnails } = await service.status(job);
  assert.deepEqual([later, thumbnails.length], [undefined, 1]);
});

test("what the image does not have is said in the document, and not tried again", async () => {
  const job = await done();
  const url = (await more(job, "page=9")).headers.get("location");
  await refused(
    await eventually("the refusal", async () => {
      const response = await workers.fetch(path(url));
      return response.status !== 409 && response;
    }),
    422,
    "invalid-option",
  );
  const [{ status, problem }] = (await service.status(job)).later;
  assert.deepEqual([status, problem.status], ["failed", 422]);
  const { revision } = await service.status(job);
  await refused(await more(job, "page=9"), 422, "invalid-option");
  const after = await service.status(job);
  assert.deepEqual([after.status, after.revision, after.thumbnails], ["done", revision, job.thumbnails]);
});

test("what belongs to the upload cannot be changed", async () => {
  const job = await done();
  for (const option of ["expires_in=600", "webhook=https://example.com"]) {
    await refused(await more(job, `width=50&${option}`), 400, "invalid-option");
  }
});

test("a mistake in a signed option is named", async () => {
  const response = await more(await done(), "width=0");
  assert.equal(response.status, 400);
  assert.deepEqual((await response.json()).errors.map(({ pointer }) => pointer), ["#/width"]);
});

test("what was deleted has no other sizes, and those that it had are gone", async () => {
  const job = await done();
  const url = (await more(job, "width=50")).headers.get("location");
  await eventually(url, async () => (await workers.fetch(path(url))).status === 200);
  assert.equal((await workers.fetch(`/thumbnails/${job.id}`, { method: "DELETE" })).status, 204);
  assert.equal((await workers.fetch(path(url))).status, 410);
  await refused(await more(job, "width=50"), 410, "gone");
  await refused(await more({ id: "01900000-0000-7000-8000-000000000000" }, "width=50"), 404, "not-found");
});

group("where everybody may ask for anything", () => {
  const open = harness({ vars: { VARIANTS_LATER: "any" } });
  const service = client(open);
  const post = ({ id }, headers, body) => open.fetch(`/thumbnails/${id}`, { method: "POST", headers, body });

  const multipart = (fields) => {
    const parts = fields.map(([name, value]) => `--X\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`);
    return [{ "content-type": "multipart/form-data; boundary=X" }, `${parts.join("")}--X--\r\n`];
  };

  for (const [what, query, headers, body] of [
    ["a query", "?width=50&height=40", {}, undefined],
    ["a form", "", FORM, "width=50&height=40"],
    ["JSON", "", JSON_TYPE, '{"width":50.0,"height":40}'],
    ["multipart", "", ...multipart([["width", 50], ["_charset_", "utf-8"], ["height", 40]])],
    ["a query and JSON", "?width=50", JSON_TYPE, '{"height":40}'],
  ]) {
    test(`options may stand in ${what}`, async () => {
      const job = await service.ended(await service.upload(PHOTO, "photo.jpg"));
      const response = await post({ id: job.id + query }, headers, body);
      assert.equal(response.status, 202, await response.clone().text());
      assert.equal(path(response.headers.get("location")), `/thumbnails/${job.id}_50x40.jpg`);
    });
  }

  test("JSON may have sizes as a list, of texts and of objects", async () => {
    const job = await service.ended(await service.upload(PHOTO, "photo.jpg"));
    const sizes = ["30x30", { name: "tall", width: 10, height: 60.0 }];
    const { later } = await (await post(job, JSON_TYPE, JSON.stringify({ sizes }))).json();
    assert.deepEqual(later.map(({ name }) => name), ["30x30", "tall"]);
  });

  test("a body that is none of these is refused, and one that is too long, or wrong", async () => {
    const job = await service.ended(await service.upload(PHOTO, "photo.jpg"));
    await refused(await post(job, { "content-type": "text/plain" }, "width=50"), 415, "unsupported-media-type");
    await refused(await post(job, FORM, "width=".padEnd(20_000, "1")), 413, "upload-too-large");
    await refused(await post(job, FORM, "width=50&width=50"), 400, "invalid-option");
    await refused(await post(job, JSON_TYPE, '{"width":50'), 400, "malformed-json");
    await refused(await post(job, JSON_TYPE, '{"webhook":"https://example.com"}'), 400, "invalid-option");
    const fraction = await post(job, JSON_TYPE, '{"width":50.5}');
    assert.deepEqual((await fraction.json()).errors, [
      { detail: 'width must be a whole number from 1 to 4096, not "50.5"', pointer: "#/width" },
    ]);
    const [headers, form] = multipart([["width", 50]]);
    const lines = await post(job, headers, form.replaceAll("\r\n", "\n"));
    assert.match((await lines.json()).detail, /LF alone/);
  });

  test("a preset of a service that has none is refused with that", async () => {
    const job = await service.ended(await service.upload(PHOTO, "photo.jpg"));
    const response = await post(job, FORM, "preset=avatar");
    assert.match((await response.json()).detail, /this service has none/);
  });

  test("a job that has failed has no other sizes", async () => {
    const job = await service.ended(await service.upload(brokenPng(), "broken.png"));
    assert.equal(job.status, "failed");
    await refused(await post(job, FORM, "width=50"), 409, "not-done");
  });
});
