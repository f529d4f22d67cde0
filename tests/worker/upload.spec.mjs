//! From an upload to its thumbnail, for each format and each way to send a file.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { FORMATS, describe, noisyPng, picture } from "../images/pictures.mjs";
import { maxDifference, pngPixels, rearranged } from "../images/pixels.mjs";
import { client, form, raw } from "./client.mjs";
import { harness } from "./harness.mjs";

const workers = harness();
const service = client(workers);

const [JPEG, PNG] = FORMATS;
const ID = "[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}";
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

for (const { name, bytes, thumbnail, extension, mediaType } of FORMATS) {
  test(`a ${name} becomes a ${thumbnail} of 100x100`, async () => {
    const job = await service.upload(bytes, `a.${name}`);
    assert.match(job.resized_image_url, new RegExp(`^https?://[^/]+/thumbnails/${ID}\\.${extension}$`));
    assert.equal(job.source.format, name);
    assert.deepEqual(describe(await service.bytes(job)), { format: thumbnail, width: 100, height: 100 });
    const response = await service.thumbnail(job);
    assert.equal(response.headers.get("content-type"), `image/${thumbnail}`);
    await response.arrayBuffer();
  });

  test(`the bytes of a ${name} are taken as ${mediaType}`, async () => {
    const response = await workers.fetch("/thumbnails", raw(bytes, mediaType));
    assert.equal(response.status, 202);
    const job = await response.json();
    assert.equal(job.source.filename, undefined);
    assert.equal(describe(await service.bytes(job)).format, thumbnail);
  });
}

test("the answer to an upload says where to look and when", async () => {
  const response = await workers.fetch("/thumbnails/", await form({ image: { bytes: PNG.bytes, filename: "cat.png" } }));
  assert.equal(response.status, 202);
  const job = await response.json();
  assert.equal(response.headers.get("location"), job.status_url);
  assert.match(response.headers.get("retry-after"), /^\d+$/);
  assert.equal(response.headers.get("content-type"), "application/json");
  assert.equal(response.headers.get("cache-control"), "no-store");
  assert.equal(job.status, "pending");
  assert.equal(job.attempts, 0);
});

test("the status document describes the source and the thumbnail", async () => {
  const accepted = await service.upload(PNG.bytes, "cat.png");
  const job = await service.ended(accepted);
  const { id, resized_image_url, status_url, created_at, updated_at, expires_at, source, thumbnails, timings, thumbhash, peak_memory_bytes, ...rest } = job;
  assert.match(id, new RegExp(`^${ID}$`));
  assert.ok(status_url.endsWith(`/thumbnails/${id}`));
  assert.ok(resized_image_url.endsWith(`/thumbnails/${id}.png`));
  assert.match(created_at, TIME);
  assert.match(updated_at, TIME);
  assert.match(expires_at, TIME);
  const sha256 = createHash("sha256").update(PNG.bytes).digest("hex");
  const { length } = PNG.bytes;
  assert.deepEqual(source, { filename: "cat.png", format: "png", width: 150, height: 120, bytes: length, sha256 });
  const made = await service.bytes(job);
  const etag = (await service.thumbnail(job, { method: "HEAD" })).headers.get("etag").slice(1, -1);
  const url = resized_image_url;
  assert.deepEqual(thumbnails, [
    { url, name: "default", format: "png", width: 100, height: 100, bytes: made.length, etag },
  ]);
  assert.deepEqual(Object.keys(timings), ["queued_ms", "processing_ms"]);
  assert.match(thumbhash, /^[A-Za-z0-9+/]{6,40}=*$/);
  assert.ok(peak_memory_bytes > 0 && peak_memory_bytes <= 96 * 1024 * 1024);
  assert.deepEqual(rest, { status: "done", revision: 3, attempts: 1 });
});

for (const field of ["image", "file", "photo[]"]) {
  test(`a form may carry the file in the field ${field}`, async () => {
    const fields = { quality: "90", [field]: { bytes: JPEG.bytes, filename: "p.jpg" } };
    const response = await workers.fetch("/thumbnails", await form(fields));
    assert.equal(response.status, 202);
    assert.equal((await response.json()).source.filename, "p.jpg");
  });
}

test("bytes without a media type of their own are recognised", async () => {
  const response = await workers.fetch("/thumbnails", raw(JPEG.bytes, "application/octet-stream"));
  assert.equal((await response.json()).source.format, "jpeg");
});

test("an image that R2 takes in several parts arrives whole", async () => {
  const bytes = noisyPng(1_500, 1_500); // 6.7 MB; a part has 5 MiB
  const job = await service.upload(bytes);
  assert.equal(job.source.sha256, createHash("sha256").update(bytes).digest("hex"));
  const { IMAGES } = await workers.env();
  const stored = Buffer.from(await (await IMAGES.get(`source/${job.id}`)).arrayBuffer());
  assert.ok(stored.equals(bytes));
  assert.deepEqual(describe(await service.bytes(job)), { format: "png", width: 100, height: 100 });
});

test("a thumbnail may be kept and run nothing", async () => {
  const job = await service.upload(JPEG.bytes);
  const { length } = await service.bytes(job);
  const response = await service.thumbnail(job);
  await response.arrayBuffer();
  assert.match(response.headers.get("cache-control"), /^public, max-age=\d{5}$/);
  assert.equal(response.headers.get("x-content-type-options"), "nosniff");
  assert.equal(response.headers.get("content-security-policy"), "default-src 'none'; sandbox");
  assert.equal(response.headers.get("content-disposition"), 'inline; filename="picture.jpg"');
  assert.equal(Number(response.headers.get("content-length")), length);
  assert.match(response.headers.get("etag"), /^"[^"]+"$/);
});

test("a client that has the thumbnail gets 304 and no bytes", async () => {
  const job = await service.upload(JPEG.bytes);
  await service.bytes(job);
  const etag = (await service.thumbnail(job, { method: "HEAD" })).headers.get("etag");
  for (const [given, status] of [[etag, 304], [`W/${etag}, "other"`, 304], ["*", 304], ['"other"', 200]]) {
    const response = await service.thumbnail(job, { headers: { "if-none-match": given } });
    assert.equal(response.status, status, given);
    assert.equal(response.headers.get("etag"), etag);
    assert.equal((await response.arrayBuffer()).byteLength === 0, status === 304, given);
  }
});

test("HEAD answers as GET does, without the body", async () => {
  const job = await service.upload(JPEG.bytes);
  const { length } = await service.bytes(job);
  for (const path of [`/thumbnails/${job.id}.jpg`, `/thumbnails/${job.id}`, "/healthz", "/thumbnails/nothing"]) {
    const [get, head] = [await workers.fetch(path), await workers.fetch(path, { method: "HEAD" })];
    assert.equal(head.status, get.status, path);
    assert.equal(head.headers.get("content-type"), get.headers.get("content-type"), path);
    assert.equal((await head.arrayBuffer()).byteLength, 0, path);
    await get.arrayBuffer();
  }
  const head = await service.thumbnail(job, { method: "HEAD" });
  assert.equal(Number(head.headers.get("content-length")), length);
});

/** Where the pixel in column `x` and row `y` of an upright picture is stored, `n` being the last of either. */
const STORED_AT = {
  1: (x, y) => [x, y],
  2: (x, y, n) => [n - x, y],
  3: (x, y, n) => [n - x, n - y],
  4: (x, y, n) => [x, n - y],
  5: (x, y) => [y, x],
  6: (x, y, n) => [y, n - x],
  7: (x, y, n) => [n - y, n - x],
  8: (x, y, n) => [n - y, x],
};

for (const format of ["png", "tif", "jpg", "webp"]) {
  test(`a ${format} is turned as its EXIF orientation says`, async () => {
    const jobs = [];
    for (let value = 1; value <= 8; value++) {
      jobs.push(await service.upload(picture(`orientation/quadrants-exif${value}.${format}`)));
    }
    if (format !== "webp") {
      // In a WebP it stands behind the pixels, where the upload has not looked.
      const sizes = jobs.map((job) => [job.source.width, job.source.height]);
      assert.deepEqual(sizes, [...Array(4).fill([48, 32]), ...Array(4).fill([32, 48])]);
    }
    const thumbnails = await Promise.all(jobs.map((job) => service.bytes(job)));
    // No two of the eight look the same.
    assert.equal(new Set(thumbnails.map((bytes) => bytes.toString("latin1"))).size, 8);
    if (describe(thumbnails[0]).format !== "png") return;
    const [stored, ...others] = thumbnails.map(pngPixels);
    others.forEach((turned, index) => {
      const expected = rearranged(stored, STORED_AT[index + 2]);
      assert.ok(maxDifference(turned, expected) <= 1, `orientation ${index + 2}`);
    });
  });
}
