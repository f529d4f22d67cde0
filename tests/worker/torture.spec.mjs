//! Forms that are made to hurt: each is taken or refused with a 4xx, little memory is used, and nothing
//! of a refused one stays stored.

import assert from "node:assert/strict";
import { before, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { examplePng } from "../../src/tools/example.mjs";
import { client, eventually } from "./client.mjs";
import { harness } from "./harness.mjs";
import { post } from "./socket.mjs";

// Smaller than the default, which takes seconds to send.
const MAX_REQUEST_BYTES = 40 * 1024 * 1024;
const workers = harness({ vars: { MAX_REQUEST_BYTES: String(MAX_REQUEST_BYTES) } });
const service = client(workers);

const MIB = 1024 * 1024;
const TYPE = "multipart/form-data; boundary=b";
const PNG = examplePng(40, 30);
const END = Buffer.from("--b--\r\n");
/** One byte more than a form may have. */
const TOO_MANY_BYTES = MAX_REQUEST_BYTES + 64 * 1024 + 1;
/** An isolate has 128 MB; the edge holds one part of 5 MiB, in two copies at times. */
const MAX_MEMORY_BYTES = 32 * MIB;

let url;
before(async () => ({ url } = await workers.server.listen()));

const part = (headers, content = "") => Buffer.concat([Buffer.from(`--b\r\n${headers}\r\n\r\n`), Buffer.from(content), Buffer.from("\r\n")]);
const file = (name, content = PNG, more = "") =>
  part(`Content-Disposition: form-data; name="image"; filename="${name}"${more}`, content);
const field = (name, value) => part(`Content-Disposition: form-data; name="${name}"`, value);

/** Sends a form with its length in one piece. */
const send = (...parts) => {
  const body = Buffer.concat(parts);
  return post(url, { type: TYPE, length: body.length, body: [body] });
};

/** Sends a form without its length, in the chunks of a generator. */
const stream = (body, more = {}) => post(url, { type: TYPE, body, ...more });

function* repeated(bytes, times) {
  for (let sent = 0; sent < times; sent++) yield bytes;
}

/** `total` bytes, in pieces. */
function* filled(total, text, begin = Buffer.alloc(0)) {
  yield begin;
  for (let left = total - begin.length; left > 0; left -= MIB) yield Buffer.alloc(Math.min(left, MIB), text);
}

function* chain(...bodies) {
  for (const body of bodies) yield* body;
}

/** Half a million parts, in fifty pieces: fewer bytes than are read on behind a refusal. */
const halfAMillion = (part) => repeated(Buffer.concat(Array(10_000).fill(part)), 50);

async function sources() {
  const { IMAGES } = await workers.env();
  return (await IMAGES.list({ prefix: "source/" })).objects.map(({ key }) => key);
}

/** What the edge has logged of the requests that it has answered, as far as anybody was there. */
const requests = () => workers.logs().map(({ message }) => String(message)).filter((line) => line.includes('"event":"request"'));

const REFUSED = [
  ["half a million fields", () => stream(halfAMillion(field("x", ""))), 400, "malformed-form"],
  ["half a million files", () => stream(halfAMillion(file("a", ""))), 413, "too-many-files"],
  ["a part header of 1 MB", () => send(part(`X: ${"x".repeat(1_000_000)}\r\nContent-Disposition: form-data; name="image"`, PNG), END), 400, "malformed-form"],
  ["a part header that never ends", () => stream(chain([Buffer.from("--b\r\nX: ")], repeated(Buffer.alloc(MIB, "x"), 30))), 400, "malformed-form"],
  ["a first boundary that never comes", () => stream(filled(TOO_MANY_BYTES, "\r\n--")), 413, "upload-too-large"],
  ["a file without an end", () => stream(filled(TOO_MANY_BYTES, "\0", file("a").subarray(0, -2))), 413, "upload-too-large"],
  ["32 MB that look like boundaries", () => stream(chain([file("a", "").subarray(0, -2)], repeated(Buffer.alloc(MIB, "\r\n--a"), 31), [Buffer.from("\r\n"), END])), 400, "not-an-image"],
  ["200 MiB by their length", () => post(url, { type: TYPE, length: 200 * MIB, body: [file("a")] }), 413, "upload-too-large"],
  ["a form without its last boundary", () => send(file("a")), 400, "malformed-form"],
  ["a form that ends in a header", () => send(file("a"), Buffer.from("--b\r\nContent-Disp")), 400, "malformed-form"],
  ["a field twice", () => send(field("width", "5"), file("a"), field("width", "5"), END), 400, "invalid-option"],
  ["a form in a form", () => send(part('Content-Disposition: form-data; name="image"\r\nContent-Type: multipart/mixed; boundary=c', Buffer.concat([Buffer.from("--c\r\n\r\n"), PNG, Buffer.from("\r\n--c--")])), END), 400, "not-an-image"],
  ["a form in itself", () => send(part('Content-Disposition: form-data; name="image"\r\nContent-Type: multipart/mixed; boundary=b', file("a")), END), 400, "not-an-image"],
  ["a boundary within a line", () => send(Buffer.from("--bb\r\n\r\n"), END), 400, "malformed-form"],
  ["headers without names", () => send(part(": x\r\n\u0000\u0001: y"), END), 400, "malformed-form"],
  ["an option with NUL in its name", () => send(file("a"), field("wi\u0000dth", "5"), END), 400, "invalid-option"],
  ["an option of 1 MB", () => send(file("a"), field("fit", "x".repeat(MIB)), END), 400, "invalid-option"],
  ["a boundary of 5,000 characters", () => post(url, { type: `multipart/form-data; boundary=${"b".repeat(5_000)}`, length: 0, body: [] }), 400, "malformed-form"],
];

for (const [what, request, status, slug] of REFUSED) {
  test(`${what}: ${status} ${slug}`, { timeout: 30_000 }, async () => {
    const before = await sources();
    const response = await request();
    assert.equal(response.status, status, response.text);
    assert.ok(response.json().type.endsWith(`/problems/${slug}`), response.text);
    assert.deepEqual(await sources(), before);
  });
}

for (const [what, name, more, shown] of [
  ["a path", "../../etc/passwd", "", "../../etc/passwd"],
  ["a path of Windows", "C:\\pictures\\a.png", "", "C:\\pictures\\a.png"],
  ["NUL", "a\u0000.png", "", "a\u0000.png"],
  ["emoji", "😀日本.png", "", "😀日本.png"],
  ["an escaped quote", 'a\\"b.png', "", 'a"b.png'],
  ["another encoding", "a.png", "; filename*=UTF-8''na%C3%AFve%2F.png", "naïve/.png"],
  ["9,000 characters", "é".repeat(4_500), "", "é".repeat(127)],
]) {
  test(`a file name with ${what} is shown and names nothing`, async () => {
    const response = await send(file(name, PNG, more), END);
    assert.equal(response.status, 202, response.text);
    const { id, source } = response.json();
    assert.equal(source.filename, shown);
    assert.ok((await sources()).includes(`source/${id}`));
  });
}

test("a field whose name is a path is no option, and is ignored", async () => {
  const response = await send(file("a"), field("../../width", "5"), END);
  assert.equal(response.status, 202, response.text);
  assert.equal((await service.ended(response.json())).thumbnails[0].width, 100);
});

test("a body without a length arrives in chunks of any size", async () => {
  const whole = Buffer.concat([file("a"), file("b"), END]);
  for (const size of [1, 17, whole.length]) {
    const chunks = Array.from({ length: Math.ceil(whole.length / size) }, (_, at) => whole.subarray(at * size, (at + 1) * size));
    const response = await stream(chunks);
    assert.equal(response.status, 202, response.text);
    assert.equal(response.json().files.length, 2);
  }
});

test("a slow body is waited for, and takes nobody else's turn", async () => {
  const whole = Buffer.concat([file("slow"), END]);
  async function* slowly() {
    for (let at = 0; at < whole.length; at += 40) {
      yield whole.subarray(at, at + 40);
      await sleep(50);
    }
  }
  const slow = stream(slowly());
  assert.equal((await send(file("fast"), END)).status, 202);
  assert.equal((await slow).status, 202);
});

test("who hangs up within a file leaves nothing", async () => {
  const before = await sources();
  const large = Buffer.concat([PNG, Buffer.alloc(7 * MIB)]);
  const answered = requests().length;
  await stream([file("a"), file("b", large).subarray(0, -MIB)], { hangUp: true });
  // The edge notices by itself, a moment later; until then it may not even have stored the first file.
  await eventually("the edge to notice", async () => requests().length > answered);
  await eventually("nothing to be left", async () => (await sources()).length === before.length);
  assert.deepEqual(await sources(), before);
});

test("who hangs up within an image leaves nothing", async () => {
  const before = await sources();
  const large = Buffer.concat([PNG, Buffer.alloc(7 * MIB)]);
  await post(url, { type: "image/png", length: large.length, body: [large.subarray(0, -MIB)], hangUp: true });
  // Whatever it has to notice, it has when it answers somebody who came later.
  assert.equal((await send(file("later"), END)).status, 202);
  const deadline = Date.now() + 10_000;
  while ((await sources()).length > before.length + 1 && Date.now() < deadline) await sleep(50);
  assert.equal((await sources()).length, before.length + 1);
});

/** The jobs of damaged forms: hundreds, which the local queue hands over one by one. */
const taken = [];

test("forms with a flipped bit or a lost byte are taken or refused, never more", { timeout: 120_000 }, async () => {
  const whole = Buffer.concat([field("width", "20"), file("a"), field("fit", "inside"), END]);
  const statuses = new Set();
  for (let at = 0; at < whole.length; at += 19) {
    const flipped = Buffer.from(whole);
    flipped[at] ^= 1 << (at % 8);
    const shortened = Buffer.concat([whole.subarray(0, at), whole.subarray(at + 1)]);
    for (const { status, text, json } of await Promise.all([send(flipped), send(shortened)])) {
      assert.ok(status === 202 || (status >= 400 && status < 500), text);
      statuses.add(status);
      if (status === 202) taken.push(json());
    }
  }
  assert.ok(statuses.has(202) && statuses.has(400), [...statuses].join());
});

test("after all of that every job ends, the edge works, and has used little memory", async () => {
  for (const job of taken) await service.ended(job);
  const { length } = await service.bytes(await service.upload(PNG));
  assert.ok(length > 0);
  const peak = Math.max(...requests().map((line) => Number(/"memory_bytes":(\d+)/.exec(line)?.[1] ?? 0)));
  console.log(`the edge used ${(peak / MIB).toFixed(1)} MiB of wasm memory at most`);
  assert.ok(peak > 0 && peak <= MAX_MEMORY_BYTES, `${peak}`);
});
