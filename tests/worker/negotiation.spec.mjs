//! One URL, and the format that the client likes best.

import assert from "node:assert/strict";
import { before, test } from "node:test";
import { picture, describe } from "../images/pictures.mjs";
import { examplePng } from "../../src/tools/example.mjs";
import { client, form } from "./client.mjs";
import { harness } from "./harness.mjs";

const workers = harness();
const service = client(workers);

// What browsers send for <img>, and for a visit.
const CHROME_IMG = "image/avif,image/webp,image/apng,image/svg+xml,image/*,*/*;q=0.8";
const OLD_SAFARI_IMG = "image/png,image/svg+xml,image/*;q=0.8,video/*;q=0.8,*/*;q=0.5";
const CHROME_VISIT = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,image/apng,*/*;q=0.8";

async function upload(bytes, fields = {}) {
  const response = await workers.fetch("/thumbnails", await form({ format: "auto", ...fields, image: { bytes, filename: "cat.png" } }));
  assert.equal(response.status, 202, await response.clone().text());
  return response.json();
}

async function get(path, accept, headers = {}) {
  const response = await workers.fetch(path, { headers: { ...headers, ...(accept && { accept }) } });
  return { response, status: response.status, headers: response.headers, body: Buffer.from(await response.arrayBuffer()) };
}

/** Whether caches are told that the answer depends on `Accept`. */
const varies = (headers) => (headers.get("vary") ?? "").split(", ").includes("Accept");

let job, url;

before(async () => {
  job = await upload(examplePng(150, 120));
  url = new URL(job.resized_image_url).pathname;
  job = await service.ended(job);
});

test("the URL of a thumbnail in two formats promises none of them", () => {
  assert.equal(url, `/thumbnails/${job.id}_default`);
  assert.deepEqual(job.thumbnails.map(({ format, url }) => [format, new URL(url).pathname]), [
    ["png", `/thumbnails/${job.id}.png`],
    ["webp", `/thumbnails/${job.id}.webp`],
  ]);
  assert.notEqual(job.thumbnails[0].etag, job.thumbnails[1].etag);
});

for (const [who, accept, format] of [
  ["Chrome's <img>", CHROME_IMG, "webp"],
  ["an old Safari's <img>", OLD_SAFARI_IMG, "png"],
  ["curl", "*/*", "png"],
  ["who names WebP", "image/webp", "webp"],
  ["who likes WebP less", "image/webp;q=0.2,image/png;q=0.8", "png"],
  ["who wants neither", "application/pdf", "png"],
]) {
  test(`${who} gets ${format}`, async () => {
    const { status, headers, body } = await get(url, accept);
    assert.equal(status, 200);
    assert.deepEqual(describe(body), { format, width: 100, height: 100 });
    assert.equal(headers.get("content-type"), `image/${format}`);
    assert.ok(varies(headers), headers.get("vary"));
    assert.equal(headers.get("content-location"), `/thumbnails/${job.id}.${format}`);
    assert.equal(headers.get("content-disposition"), `inline; filename="cat.${format}"`);
    const { etag } = job.thumbnails.find((thumbnail) => thumbnail.format === format);
    assert.equal(headers.get("etag"), `"${etag}"`);
    const again = await get(url, accept, { "if-none-match": headers.get("etag") });
    assert.equal(again.status, 304);
    for (const name of ["vary", "etag", "content-location", "cache-control"]) {
      assert.equal(again.headers.get(name), headers.get(name), name);
    }
  });
}

test("the tag of one format is not that of the other", async () => {
  const [png, webp] = job.thumbnails.map(({ etag }) => `"${etag}"`);
  assert.equal((await get(url, "image/webp", { "if-none-match": png })).status, 200);
  assert.equal((await get(url, "image/png", { "if-none-match": webp })).status, 200);
});

test("a URL with an extension answers in that format, whatever is accepted", async () => {
  for (const format of ["png", "webp"]) {
    for (const accept of [CHROME_IMG, "image/png", "*/*"]) {
      const { headers, body } = await get(`/thumbnails/${job.id}.${format}`, accept);
      assert.equal(describe(body).format, format);
      assert.ok(!varies(headers), headers.get("vary"));
    }
  }
});

test("the job's URL is an image for <img> and a document for the others", async () => {
  const path = `/thumbnails/${job.id}`;
  for (const [accept, type] of [
    [CHROME_IMG, "image/webp"],
    ["image/*", "image/png"],
    ["*/*", "application/json"],
    [CHROME_VISIT, "application/json"],
    ["application/json", "application/json"],
  ]) {
    const { status, headers } = await get(path, accept);
    assert.equal(status, 200);
    assert.equal(headers.get("content-type"), type, accept);
    assert.ok(varies(headers), headers.get("vary"));
  }
});

test("a JPEG has one format, at the same kind of URLs", async () => {
  const { id, resized_image_url } = await upload(picture("photo.jpg"));
  const done = await service.ended({ id });
  assert.equal(new URL(resized_image_url).pathname, `/thumbnails/${id}.jpg`);
  assert.equal(done.thumbnails.length, 1);
  for (const path of [`/thumbnails/${id}_default`, `/thumbnails/${id}`]) {
    assert.equal((await get(path, CHROME_IMG)).headers.get("content-type"), "image/jpeg");
  }
});

test("each of several sizes is in both formats", async () => {
  const sized = await service.ended(await upload(examplePng(90, 90), { sizes: "small:20x20,large:60x60" }));
  assert.equal(sized.thumbnails.length, 4);
  for (const [name, width] of [["small", 20], ["large", 60]]) {
    for (const [accept, format] of [[CHROME_IMG, "webp"], ["*/*", "png"]]) {
      const { body } = await get(`/thumbnails/${sized.id}_${name}`, accept);
      assert.deepEqual(describe(body), { format, width, height: width });
    }
  }
  assert.equal((await get(`/thumbnails/${sized.id}_medium`, "*/*")).status, 404);
});

test("what is deleted is gone in every format, and what never was is not found", async () => {
  const doomed = await service.ended(await upload(examplePng(40, 40)));
  await workers.fetch(`/thumbnails/${doomed.id}`, { method: "DELETE" });
  for (const path of [`/thumbnails/${doomed.id}_default`, `/thumbnails/${doomed.id}.png`, `/thumbnails/${doomed.id}.webp`]) {
    const { status, headers } = await get(path, CHROME_IMG);
    assert.equal(status, 410);
    assert.equal(headers.get("cache-control"), "no-store");
  }
  assert.equal((await get("/thumbnails/01900000-0000-7000-8000-000000000000_default", CHROME_IMG)).status, 404);
});
