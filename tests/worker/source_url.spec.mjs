//! JSON that names an image: it is fetched, bounded in place, time and bytes, and taken as if it had been sent.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { after, before, test } from "node:test";
import { server } from "../contract/server.mjs";
import { examplePng } from "../../src/tools/example.mjs";
import { client, eventually } from "./client.mjs";

const MAX_BYTES = 200_000;

const workers = server({
  vars: {
    SOURCE_URLS: "1",
    ALLOW_INSECURE_SOURCES: "1",
    SOURCE_TIMEOUT_SECS: "2",
    MAX_UPLOAD_BYTES: String(MAX_BYTES),
    LISTING: "1",
  },
});
const service = client(workers);
const picture = examplePng(120, 90);

/** The paths that the server of images was asked for. */
const asked = [];
/** Connections that were closed by whoever asked. */
const closed = [];
const PLACES = {
  "/a/cat%20one.png": (response) => response.end(picture),
  "/moved": (response) => response.writeHead(302, { location: "a/cat%20one.png" }).end(),
  "/round": (response) => response.writeHead(302, { location: "/round" }).end(),
  "/inside": (response) => response.writeHead(302, { location: "http://10.0.0.1/latest/meta-data" }).end(),
  "/metadata": (response) => response.writeHead(307, { location: "http://169.254.169.254/" }).end(),
  "/file": (response) => response.writeHead(301, { location: "file:///etc/passwd" }).end(),
  "/broken": (response) => response.writeHead(500).end(),
  "/text": (response) => response.end("no image"),
  "/silent": () => {},
  "/stalls": (response) => response.writeHead(200).write(picture.subarray(0, 60)),
  "/breaks": (response) => {
    response.writeHead(200, { "content-length": picture.length });
    response.write(picture.subarray(0, 60), () => response.destroy());
  },
  "/endless": endless,
  "/once": (response) => {
    delete PLACES["/once"];
    response.end(picture);
  },
};

const pictures = createServer((request, response) => {
  asked.push(request.url);
  request.socket.once("close", () => closed.push(request.url));
  const place = PLACES[request.url];
  if (place) place(response);
  else response.writeHead(404).end();
});
let origin;
before(async () => {
  pictures.listen(0, "127.0.0.1");
  await once(pictures, "listening");
  origin = `http://127.0.0.1:${pictures.address().port}`;
});
after(() => {
  pictures.closeAllConnections();
  pictures.close();
});

/** An image's first bytes, and no end. */
function endless(response) {
  response.writeHead(200).write(picture);
  const timer = setInterval(() => response.write(Buffer.alloc(1 << 16)), 5);
  response.once("close", () => clearInterval(timer));
}

const post = (body, headers = {}) =>
  workers.fetch("/thumbnails", {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });

async function refused(response, status, slug) {
  const problem = await response.json();
  assert.equal(response.status, status, JSON.stringify(problem));
  assert.ok(problem.type.endsWith(`/problems/${slug}`), problem.type);
  return problem;
}

const jobs = async () => (await (await workers.fetch("/thumbnails?limit=100")).json()).jobs.length;

for (const [what, path] of [
  ["at an address", "/a/cat%20one.png"],
  ["behind a redirect", "/moved"],
]) {
  test(`an image ${what} becomes a thumbnail`, async () => {
    const response = await post({ source_url: origin + path, width: 40, height: 30, format: "png" });
    const job = await response.json();
    assert.equal(response.status, 202, JSON.stringify(job));
    const done = await service.ended(job);
    assert.equal(done.status, "done");
    assert.equal(done.source.bytes, picture.length);
    assert.deepEqual([done.thumbnails[0].width, done.thumbnails[0].height], [40, 30]);
    if (path !== "/moved") assert.equal(done.source.filename, "cat one.png");
  });
}

for (const [path, status, slug, words] of [
  ["/nowhere", 422, "fetch-refused", /answered 404/],
  ["/round", 422, "fetch-refused", /more than 5 redirects/],
  ["/inside", 422, "fetch-refused", /not an IP address/],
  ["/metadata", 422, "fetch-refused", /not an IP address/],
  ["/file", 422, "fetch-refused", /https:\/\/ or http:\/\//],
  ["/broken", 502, "fetch-failed", /answered 500/],
  ["/silent", 502, "fetch-failed", /within 2 s/],
  ["/stalls", 502, "fetch-failed", /within 2 s/],
  ["/breaks", 502, "fetch-failed", /./],
  ["/text", 400, "not-an-image", /./],
  ["/endless", 413, "upload-too-large", new RegExp(String(MAX_BYTES))],
]) {
  test(`${path} is ${slug}, and nothing of it stays`, async () => {
    const before = await jobs();
    const problem = await refused(await post({ source_url: origin + path }), status, slug);
    assert.match(problem.detail, words);
    assert.equal(await jobs(), before);
    if (path === "/endless") await eventually("the end of the connection", async () => closed.includes(path));
  });
}

test("an address that cannot be is refused before anybody is asked", async () => {
  const before = asked.length;
  for (const url of [
    "http://10.0.0.1/a.png",
    "http://192.168.1.1/",
    "http://[fd00::1]/",
    "https://169.254.169.254/latest/meta-data",
    "https://metadata.google.internal/",
    "https://printer.local/",
    "https://intranet/",
    "https://example.com:22/",
    "ftp://example.com/a.png",
    "file:///etc/passwd",
    "data:image/png;base64,AAAA",
    "https://user:hush@example.com/",
    "cat.png",
    "",
    workers.url("/thumbnails/a.png"),
  ]) {
    const problem = await refused(await post({ source_url: url }), 400, "invalid-option");
    assert.deepEqual(problem.errors.map(({ pointer }) => pointer), ["#/source_url"], url);
    assert.doesNotMatch(JSON.stringify(problem), /hush/);
  }
  assert.equal(asked.length, before);
});

test("options are checked before anybody is asked", async () => {
  const before = asked.length;
  const source_url = `${origin}/a/cat%20one.png`;
  const pointers = async (body) => {
    const { errors } = await refused(await post(body), 400, "invalid-option");
    return errors.map(({ pointer }) => pointer);
  };
  assert.deepEqual(await pointers({ source_url, width: 0 }), ["#/width"]);
  assert.deepEqual(await pointers({ source_url, wide: 5 }), ["#/wide"]);
  assert.deepEqual(await pointers({ source_url, width: { px: 5 } }), ["#/width"]);
  assert.deepEqual(await pointers({ width: 5 }), ["#/source_url"]);
  await refused(await post('{"source_url": '), 400, "malformed-json");
  await refused(await post("x".repeat(70_000)), 400, "malformed-json");
  assert.equal(asked.length, before);
});

test("with an Idempotency-Key the address is asked once, though the image is gone by then", async () => {
  const key = { "idempotency-key": "fetched-once" };
  const body = { source_url: `${origin}/once`, width: 50 };
  const first = await post(body, key);
  const job = await first.json();
  assert.equal(first.status, 202, JSON.stringify(job));
  const again = await post(body, key);
  assert.equal(again.status, 202);
  assert.equal((await again.json()).id, job.id);
  assert.equal(asked.filter((path) => path === "/once").length, 1);
  await refused(await post({ ...body, width: 60 }, key), 422, "idempotency-key-reused");
});
