//! What people type: `curl` in each way in which it sends a body, and `wget`.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { describe } from "../images/pictures.mjs";
import { inRoot } from "../../src/tools/paths.mjs";
import { capture } from "../../src/tools/run.mjs";
import { server } from "./server.mjs";

const THUMBNAIL = { format: "jpeg", width: 64, height: 48 };
const WAIT = ["-H", "Prefer: wait=20"];
const JPEG = ["-H", "Content-Type: image/jpeg"];

const workers = server();

const folder = mkdtempSync(join(tmpdir(), "commands-"));
after(() => rmSync(folder, { recursive: true, force: true }));
copyFileSync(inRoot("tests", "images", "photo.jpg"), join(folder, "cat.jpg"));

const hasWget = (await capture("wget", ["--version"])).code === 0;

/** Runs curl and returns what it wrote: the status and the body. */
async function curl(...args) {
  const body = join(folder, "body");
  writeFileSync(body, "");
  const { code, output } = await capture("curl", ["-sS", "-w", "%{http_code}", "-o", body, ...args], { cwd: folder });
  assert.equal(code, 0, output);
  return { status: Number(output), body: readFileSync(body) };
}

async function assertThumbnail(job, ...args) {
  const { status, body } = await curl(...args, job.resized_image_url);
  assert.equal(status, 200);
  assert.deepEqual(describe(body), THUMBNAIL);
  return body;
}

const WAYS = {
  "a form": ["-F", "image=@cat.jpg", "-F", "size=64x48"],
  "a form, HTTP/1.0": ["--http1.0", "-F", "image=@cat.jpg", "-F", "size=64x48"],
  "a form that waits for 100 Continue": ["-H", "Expect: 100-continue", "-F", "image=@cat.jpg", "-F", "size=64x48"],
  "a form in chunks": ["-H", "Transfer-Encoding: chunked", "-F", "image=@cat.jpg", "-F", "size=64x48"],
  "bytes": ["--data-binary", "@cat.jpg", ...JPEG],
  "bytes, HTTP/1.0": ["--http1.0", "--data-binary", "@cat.jpg", ...JPEG],
  "bytes that wait for 100 Continue": ["-H", "Expect: 100-continue", "--data-binary", "@cat.jpg", ...JPEG],
  "bytes in chunks": ["-H", "Transfer-Encoding: chunked", "--data-binary", "@cat.jpg", ...JPEG],
};

for (const [way, args] of Object.entries(WAYS)) {
  test(`curl with ${way}`, async () => {
    const isForm = way.startsWith("a form");
    const { status, body } = await curl(...args, ...WAIT, workers.url(isForm ? "/thumbnails" : "/thumbnails?size=64x48"));
    assert.equal(status, 201, body.toString());
    const version = way.includes("1.0") ? ["--http1.0"] : [];
    const whole = await assertThumbnail(JSON.parse(body), ...version);
    const part = await curl(...version, "-r", "0-9", JSON.parse(body).resized_image_url);
    assert.deepEqual([part.status, part.body], [206, whole.subarray(0, 10)]);
  });
}

test("curl keeps a thumbnail and its ETag, and sends an upload again", async () => {
  const key = `Idempotency-Key: "${randomUUID()}"`;
  const send = () => curl(...WAYS["a form"], "-H", key, workers.url("/thumbnails"));
  const [first, again] = [await send(), await send()];
  assert.deepEqual([first.status, again.status], [202, 202]);
  const job = JSON.parse(first.body);
  assert.equal(JSON.parse(again.body).id, job.id);
  assert.deepEqual(describe((await curl(...WAIT, job.resized_image_url)).body), THUMBNAIL);
  const etags = ["--etag-save", "etag", "--etag-compare", "etag"];
  assert.equal((await curl(...etags, job.resized_image_url)).status, 200);
  assert.equal((await curl(...etags, job.resized_image_url)).status, 304);
});

test("curl is told in words what is wrong", async () => {
  const { status, body } = await curl("-F", "image=@cat.jpg", "-F", "widht=64", workers.url("/thumbnails"));
  assert.equal(status, 400);
  assert.match(JSON.parse(body).errors[0].detail, /did you mean/);
});

test("wget", { skip: !hasWget && "wget is not installed" }, async () => {
  const wget = (...args) => capture("wget", ["-q", ...args], { cwd: folder });
  const header = ["--header", "Content-Type: image/jpeg", "--header", "Prefer: wait=20"];
  const sent = await wget("--post-file=cat.jpg", ...header, "-O", "job.json", workers.url("/thumbnails?size=64x48"));
  assert.equal(sent.code, 0, sent.output);
  const job = JSON.parse(readFileSync(join(folder, "job.json")));
  const got = await wget("-O", "wget.jpg", job.resized_image_url);
  assert.equal(got.code, 0, got.output);
  assert.deepEqual(describe(readFileSync(join(folder, "wget.jpg"))), THUMBNAIL);
  // Saved under the name of the upload, with the extension of what it is.
  assert.equal((await wget("--content-disposition", job.resized_image_url)).code, 0);
});
