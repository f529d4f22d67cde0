//! Forms as browsers and upload widgets send them, with all that is no image and no option.

import assert from "node:assert/strict";
import { test } from "node:test";
import { examplePng } from "../../src/tools/example.mjs";
import { harness } from "./harness.mjs";

const workers = harness();

const PNG = examplePng(40, 30);

/** A part of a form; without a file name it is a text. */
function part(name, content, filename) {
  const file = filename === undefined ? "" : `; filename="${filename}"\r\nContent-Type: application/octet-stream`;
  const head = `--b\r\nContent-Disposition: form-data; name="${name}"${file}\r\n\r\n`;
  return Buffer.concat([Buffer.from(head), Buffer.from(content), Buffer.from("\r\n")]);
}

const post = (parts, query = "") =>
  workers.fetch(`/thumbnails${query}`, {
    method: "POST",
    headers: { "content-type": "multipart/form-data; boundary=b" },
    body: Buffer.concat([...parts, Buffer.from("--b--\r\n")]),
  });

/** Asserts that one image was taken, as if it had come alone. */
async function takenAlone(response) {
  const job = await response.json();
  assert.equal(response.status, 202, JSON.stringify(job));
  assert.equal(job.source.filename, "a.png");
  assert.ok(response.headers.get("location").endsWith(job.id));
}

async function refused(response, pointer, words) {
  const { errors, detail } = await response.json();
  assert.equal(response.status, 400, detail);
  assert.deepEqual(errors.map((error) => error.pointer), [pointer]);
  assert.ok(detail.includes(words), detail);
}

const picture = part("image", PNG, "a.png");

for (const [what, ...parts] of [
  ["the metadata of a widget", part("name", "a.png"), part("type", "image/png"), part("relativePath", "null"), picture],
  ["a button, a charset and a limit", part("MAX_FILE_SIZE", "999"), picture, part("_charset_", "UTF-8"), part("submit", "Go")],
  ["a text in the file's own field before it", part("image", "{}"), picture],
  ["a text in the file's own field behind it", picture, part("image", "{}")],
  ["a text and a file in a field of another name", part("filepond", "{}"), part("filepond", PNG, "a.png")],
  ["an empty second file input", picture, part("second", "", "")],
  ["empty file inputs around it", part("first", "", ""), picture, part("image", "", "")],
]) {
  test(`${what} changes nothing`, async () => takenAlone(await post(parts)));
}

test("options among other fields count", async () => {
  const response = await post([part("name", "x"), picture, part("size", "16x12")]);
  const { resized_image_url } = await response.json();
  const path = new URL(resized_image_url).pathname;
  for (;;) {
    const thumbnail = await workers.fetch(path);
    const bytes = Buffer.from(await thumbnail.arrayBuffer());
    if (thumbnail.status === 409) continue;
    assert.deepEqual([bytes.readUInt32BE(16), bytes.readUInt32BE(20)], [16, 12]);
    break;
  }
});

test("bytes in the field of the file are an image without any file name, where there is no other", async () => {
  const response = await post([part("image", PNG)]);
  assert.equal(response.status, 202);
  assert.equal((await response.json()).source.filename, undefined);
});

test("a form in which nobody chose a file has none", async () => {
  const response = await post([part("image", "", "")]);
  assert.equal(response.status, 400);
  assert.ok((await response.json()).type.endsWith("/problems/missing-file"));
});

test("a field that is an option but for a slip is refused, and nothing stays stored", async () => {
  const { IMAGES } = await workers.env();
  const before = (await IMAGES.list({ prefix: "source/" })).objects.length;
  await refused(await post([picture, part("widht", "50")]), "#/widht", "did you mean `width`?");
  await refused(await post([part("expires-in", "600"), picture]), "#/expires-in", "did you mean `expires_in`?");
  assert.equal((await IMAGES.list({ prefix: "source/" })).objects.length, before);
});

test("a query is strict, whatever it names", async () => {
  await refused(await post([picture], "?name=x"), "#/name", "the options are");
  await refused(await post([picture], "?Width=5"), "#/Width", "did you mean `width`?");
});
