//! What is refused, and how the refusal reads.

import assert from "node:assert/strict";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { examplePng } from "../../src/tools/example.mjs";
import { noisyPng, picture, pngThatClaims } from "../images/pictures.mjs";
import { client, form, raw } from "./client.mjs";
import { harness } from "./harness.mjs";

const workers = harness();
const service = client(workers);

const MIB = 1024 * 1024;
const TEXT = Buffer.from("this is a text and no image, however long it is");
const SVG = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>');
const HEIC = Buffer.from("\0\0\0\x18ftypheic\0\0\0\0mif1heic\0\0\0\x08free", "latin1");
const NEVER_A_JOB = "/thumbnails/01900000-0000-7000-8000-000000000000";

const file = (bytes, filename = "a.png") => form({ image: { bytes, filename } });

/** Asserts that a response is a problem document of a kind, and returns the document. */
async function problem(response, status, slug) {
  const document = await response.json();
  assert.equal(response.status, status, JSON.stringify(document));
  assert.equal(response.headers.get("content-type"), "application/problem+json");
  assert.equal(response.headers.get("cache-control"), "no-store");
  assert.equal(response.headers.get("x-content-type-options"), "nosniff");
  assert.ok(document.type.endsWith(`/problems/${slug}`), document.type);
  assert.equal(document.status, status);
  assert.ok(document.title.length > 0 && document.detail.length > 0);
  assert.equal(document.error, document.detail);
  return document;
}

const REFUSED = [
  ["an empty file", () => file(Buffer.alloc(0)), 400, "empty-upload"],
  ["an empty body", () => raw(Buffer.alloc(0), "image/png"), 400, "empty-upload"],
  ["a form without a file", () => form({ width: "5" }), 400, "missing-file"],
  ["a form without a boundary", () => raw(TEXT, "multipart/form-data"), 400, "malformed-form"],
  ["a form that ends early", () => raw(Buffer.from("--b\r\n"), "multipart/form-data; boundary=b"), 400, "malformed-form"],
  ["a text named as an image", () => file(TEXT, "cat.png"), 400, "not-an-image"],
  ["a text sent as an image", () => raw(TEXT, "image/png"), 400, "not-an-image"],
  ["one byte", () => file(Buffer.from([0x89])), 400, "not-an-image"],
  ["an image that ends within its header", () => file(examplePng(8, 8).subarray(0, 20)), 400, "not-an-image"],
  ["an image without pixels", () => file(pngThatClaims(0, 7)), 400, "not-an-image"],
  ["an SVG", () => file(SVG, "a.svg"), 415, "unsupported-image"],
  ["a HEIC", () => file(HEIC, "a.heic"), 415, "unsupported-image"],
  ["a body of another type", () => raw(TEXT, "application/pdf"), 415, "unsupported-media-type"],
  ["a body of no type", () => ({ method: "POST", body: examplePng(8, 8) }), 415, "unsupported-media-type"],
  ["33 MiB with their length", () => raw(Buffer.alloc(33 * MIB), "image/png"), 413, "upload-too-large"],
  ["an image of 65535x65535", () => file(pngThatClaims(65_535, 65_535)), 422, "image-too-large"],
];

for (const [what, request, status, slug] of REFUSED) {
  test(`${what} is refused: ${status} ${slug}`, async () => {
    await problem(await workers.fetch("/thumbnails", await request()), status, slug);
  });
}

/** 33 MiB of no declared length. */
function inChunks() {
  const head = examplePng(4_000, 4_000).subarray(0, 1_024);
  let left = 33;
  const body = new ReadableStream({
    start: (controller) => controller.enqueue(head),
    pull: (controller) => (left-- > 0 ? controller.enqueue(new Uint8Array(MIB)) : controller.close()),
  });
  return { method: "POST", headers: { "content-type": "image/png" }, body, duplex: "half" };
}

test("33 MiB in chunks, of no declared length, are refused on the way", async () => {
  await problem(await workers.fetch("/thumbnails", inChunks()), 413, "upload-too-large");
});

test("a refusal names the numbers", async () => {
  const tooManyPixels = await workers.fetch("/thumbnails", await file(pngThatClaims(65_535, 65_535)));
  assert.match((await tooManyPixels.json()).detail, /65535x65535/);
  const tooManyBytes = await workers.fetch("/thumbnails", inChunks());
  assert.match((await tooManyBytes.json()).detail, /33554432/);
});

test("a format that is not decoded is named, with what to do instead", async () => {
  for (const [bytes, sentence] of [
    [SVG, "SVG is not supported: it is a program rather than an image; export it as PNG"],
    [HEIC, 'HEIC is not supported: convert to JPEG, or set the camera to "Most Compatible"'],
  ]) {
    const response = await workers.fetch("/thumbnails", await file(bytes));
    assert.equal((await response.json()).detail, sentence);
  }
});

test("nothing of a refused upload stays stored", async () => {
  const { IMAGES } = await workers.env();
  const before = await IMAGES.list({ prefix: "source/" });
  for (const [, request] of REFUSED) {
    const response = await workers.fetch("/thumbnails", await request());
    await response.arrayBuffer();
  }
  const after = await IMAGES.list({ prefix: "source/" });
  assert.equal(after.objects.length, before.objects.length);
});

test("a body that is compressed is refused with what is taken", async () => {
  const job = await service.ended(await service.upload(examplePng(50, 50)));
  const headers = { "content-type": "image/png", "content-encoding": "gzip" };
  for (const path of ["/thumbnails", `/thumbnails/${job.id}`]) {
    const response = await workers.fetch(path, { method: "POST", headers, body: gzipSync(examplePng(9, 9)) });
    const { detail } = await problem(response, 415, "unsupported-encoding");
    assert.equal(response.headers.get("accept-encoding"), "identity");
    assert.match(detail, /Content-Encoding/);
  }
  const identity = { ...headers, "content-encoding": "identity" };
  const plain = await workers.fetch("/thumbnails", { method: "POST", headers: identity, body: examplePng(9, 9) });
  assert.equal(plain.status, 202, await plain.text());
});

test("a body of another type is told which there are", async () => {
  const { detail } = await (await workers.fetch("/thumbnails", raw(TEXT, "text/plain"))).json();
  for (const type of ["multipart/form-data", "image/*", "application/octet-stream"]) assert.ok(detail.includes(type), detail);
});

test("options of a read are refused with how another thumbnail is made; what means nothing is ignored", async () => {
  const job = await service.ended(await service.upload(examplePng(50, 50)));
  const picture = { accept: "image/*" };
  for (const [path, headers] of [[`${job.id}.png`], [job.id], [job.id, picture], [`${job.id}_default`]]) {
    const url = `/thumbnails/${path}`;
    const { detail, errors } = await problem(await workers.fetch(`${url}?width=20&v=2`, { headers }), 400, "invalid-option");
    assert.ok(detail.includes(`POST /thumbnails/${job.id}?width=…`), detail);
    assert.deepEqual(errors.map(({ pointer }) => pointer), ["#/width"]);
    const ignored = await workers.fetch(`${url}?v=2`, { headers });
    assert.equal(ignored.status, 200);
    await ignored.arrayBuffer();
  }
});

for (const path of [
  NEVER_A_JOB,
  `${NEVER_A_JOB}.png`,
  "/thumbnails/cat.png",
  "/thumbnails/..%2Fsource%2Fa.png",
  "/thumbnails/01900000-0000-4000-8000-000000000000.png",
  "/problems/none",
  "/docs/none",
  "/thumbnails/a/b",
]) {
  test(`${path} never existed: 404`, async () => {
    await problem(await workers.fetch(path), 404, "not-found");
  });
}

test("a thumbnail under another extension is not found, and the answer says where it is", async () => {
  const job = await service.upload(examplePng(50, 50));
  const { detail } = await problem(await workers.fetch(`/thumbnails/${job.id}.jpg`), 404, "not-found");
  assert.ok(detail.includes(job.resized_image_url), detail);
});

for (const [method, path, allow] of [
  ["DELETE", "/thumbnails", "GET, HEAD, POST, OPTIONS"],
  ["PUT", "/thumbnails", "GET, HEAD, POST, OPTIONS"],
  ["PUT", NEVER_A_JOB, "GET, HEAD, POST, DELETE, OPTIONS"],
  ["PATCH", `${NEVER_A_JOB}.png`, "GET, HEAD, OPTIONS"],
  ["POST", "/healthz", "GET, HEAD, OPTIONS"],
]) {
  test(`${method} ${path} is not allowed: 405`, async () => {
    const response = await workers.fetch(path, { method });
    await problem(response, 405, "method-not-allowed");
    assert.equal(response.headers.get("allow"), allow);
  });
}

test("another spelling of a URL leads to it, with its query", async () => {
  const job = await service.upload(picture("photo.jpg"));
  await service.bytes(job);
  const own = `/thumbnails/${job.id}`;
  for (const [path, want] of [
    [`${own}.jpeg`, `${own}.jpg`],
    [`${own}.JPG?v=2`, `${own}.jpg?v=2`],
    [`${own}%2ejpg`, `${own}.jpg`],
    [`/thumbnails/${job.id.toUpperCase()}.jpg`, `${own}.jpg`],
    [`/thumbnails/${job.id.toUpperCase()}`, own],
    [`${own}/`, own],
    [`${own}/?v=2`, `${own}?v=2`],
    ["/thumbnail/cat.png?v=2", "/thumbnails/cat.png?v=2"],
  ]) {
    const response = await workers.fetch(path);
    assert.equal(response.status, 308, path);
    assert.equal(response.headers.get("location"), want);
    const method = await workers.fetch(path, { method: "DELETE" });
    if (!path.startsWith("/thumbnail/")) assert.deepEqual([method.status, method.headers.get("location")], [308, want]);
  }
  const { detail } = await problem(await workers.fetch(`${own}.bmp`), 404, "not-found");
  assert.ok(detail.includes(`${own} says`), detail);
});

test("the path of the replaced service's README leads to the thumbnail", async () => {
  const response = await workers.fetch("/thumbnail/cat.png");
  assert.equal(response.status, 308);
  assert.equal(new URL(response.headers.get("location"), "http://edge/").pathname, "/thumbnails/cat.png");
});

test("the type of a problem leads to a page about it", async () => {
  const { type } = await (await workers.fetch("/thumbnails", await file(TEXT))).json();
  const response = await workers.fetch(new URL(type).pathname);
  assert.equal(response.status, 200);
  assert.match(await response.text(), /^The file is not an image \(400\)/);
});

test("a service that refused all of that still works", async () => {
  const { length } = await service.bytes(await service.upload(noisyPng(300, 200)));
  assert.ok(length > 0);
});
