//! Uploads that are sent again with their `Idempotency-Key`: the same answer, and no second job.

import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { before, test } from "node:test";
import { brokenPng } from "../images/pictures.mjs";
import { examplePng } from "../../src/tools/example.mjs";
import { client, form, raw } from "./client.mjs";
import { harness } from "./harness.mjs";
import { post } from "./socket.mjs";

const workers = harness();
const service = client(workers);

const PNG = examplePng(40, 30);
let url;
before(async () => ({ url } = await workers.server.listen()));

/** Uploads with a key; `request` is what `form` or `raw` return. */
async function upload(key, request, query = "") {
  const { headers, ...rest } = await request;
  return workers.fetch(`/thumbnails${query}`, { ...rest, headers: { ...headers, "idempotency-key": key } });
}

const picture = (bytes = PNG) => form({ image: { bytes, filename: "a.png" } });

async function sources() {
  const { IMAGES } = await workers.env();
  return (await IMAGES.list({ prefix: "source/" })).objects.length;
}

async function refused(response, status, slug) {
  const document = await response.json();
  assert.equal(response.status, status, JSON.stringify(document));
  assert.ok(document.type.endsWith(`/problems/${slug}`), document.type);
}

test("the same upload gets the same answer, also when its job is done", async () => {
  const key = `"${randomUUID()}"`;
  const first = await upload(key, picture());
  assert.equal(first.status, 202);
  assert.equal(first.headers.get("idempotent-replayed"), null);
  const text = await first.text();
  await service.bytes(JSON.parse(text));
  const stored = await sources();
  for (const again of [key, key.slice(1, -1)]) {
    const response = await upload(again, picture());
    assert.equal(response.status, 202);
    assert.equal(await response.text(), text);
    assert.equal(response.headers.get("idempotent-replayed"), "true");
    for (const name of ["location", "link", "retry-after", "content-type", "cache-control"]) {
      assert.equal(response.headers.get(name), first.headers.get(name), name);
    }
  }
  assert.equal(await sources(), stored);
});

/** Asserts that a response is that of before, and says so. */
async function assertReplayed(response, first, text) {
  assert.equal(response.status, first.status);
  assert.equal(await response.text(), text);
  assert.equal(response.headers.get("idempotent-replayed"), "true");
  for (const name of ["location", "link", "retry-after", "content-type", "cache-control"]) {
    assert.equal(response.headers.get(name), first.headers.get(name), name);
  }
}

const patient = async (request) => {
  const { headers, ...rest } = await request;
  return { ...rest, headers: { ...headers, prefer: "wait=20" } };
};

for (const [what, bytes, status] of [
  ["a thumbnail that was made", PNG, 201],
  ["a failure that came", brokenPng(), 422],
]) {
  test(`${what} while the client waited is the answer also to who does not wait`, async () => {
    const key = randomUUID();
    const first = await upload(key, patient(picture(bytes)));
    const text = await first.text();
    assert.equal(first.status, status, text);
    assert.ok(first.headers.get("link") && first.headers.get("location"));
    await assertReplayed(await upload(key, picture(bytes)), first, text);
    await assertReplayed(await upload(key, patient(picture(bytes))), first, text);
  });
}

test("an answer of 202 stays one, also to who waits", async () => {
  const key = randomUUID();
  const first = await upload(key, picture());
  const text = await first.text();
  assert.equal(first.status, 202);
  await service.ended(JSON.parse(text));
  await assertReplayed(await upload(key, patient(picture())), first, text);
});

test("the answer has URLs of the host that is asked now", async () => {
  const key = randomUUID();
  const first = await (await upload(key, picture())).json();
  const { headers, ...rest } = await picture();
  const elsewhere = new URL("/thumbnails", "http://thumbs.example");
  const again = await workers.fetch(elsewhere, { ...rest, headers: { ...headers, "idempotency-key": key } });
  const { id, resized_image_url, status_url } = await again.json();
  assert.equal(again.headers.get("idempotent-replayed"), "true");
  assert.equal(id, first.id);
  const { origin } = elsewhere;
  assert.equal(again.headers.get("location"), `${origin}/thumbnails/${id}`);
  assert.deepEqual([resized_image_url, status_url], [`${origin}/thumbnails/${id}.png`, `${origin}/thumbnails/${id}`]);
});

test("a stranger with the key alone learns nothing of the job", async () => {
  const key = randomUUID();
  const { id } = await (await upload(key, picture())).json();
  for (const [request, query] of [
    [picture(examplePng(9, 9)), ""],
    [picture(), "?width=50"],
    [form({ image: { bytes: PNG, filename: "b.png" } }), ""],
    [raw(Buffer.alloc(0), "image/png"), ""],
    [{ method: "POST" }, ""],
  ]) {
    const response = await upload(key, request, query);
    assert.ok(response.status >= 400, String(response.status));
    const said = JSON.stringify([...response.headers]) + (await response.text());
    assert.ok(!said.includes(id) && !said.includes("a.png"), said);
  }
});

test("a large image that is stored while it arrives is known again", async () => {
  const key = randomUUID();
  const large = Buffer.concat([PNG, Buffer.alloc(1_000_000)]);
  const first = await upload(key, raw(large, "image/png"));
  assert.equal(first.status, 202);
  const stored = await sources();
  const second = await upload(key, raw(large, "image/png"));
  assert.equal(second.headers.get("idempotent-replayed"), "true");
  assert.equal(await second.text(), await first.text());
  large[500_000] = 1;
  await refused(await upload(key, raw(large, "image/png")), 422, "idempotency-key-reused");
  assert.equal(await sources(), stored);
});

test("several files and their problems are answered again as they were", async () => {
  const key = randomUUID();
  const files = () => form({ a: { bytes: PNG, filename: "a.png" }, b: { bytes: Buffer.from("text"), filename: "b.txt" } });
  const first = await (await upload(key, files(), "?width=20")).json();
  assert.deepEqual(first.files.map((file) => Object.keys(file).at(-1)), ["job", "problem"]);
  assert.deepEqual(await (await upload(key, files(), "?width=20")).json(), first);
});

test("another file, another option or another kind of body under the key is refused", async () => {
  const key = randomUUID();
  assert.equal((await upload(key, picture())).status, 202);
  const stored = await sources();
  await refused(await upload(key, picture(examplePng(41, 30))), 422, "idempotency-key-reused");
  await refused(await upload(key, picture(), "?width=50"), 422, "idempotency-key-reused");
  await refused(await upload(key, raw(PNG, "image/png")), 422, "idempotency-key-reused");
  assert.equal(await sources(), stored);
});

test("many at once make one job", async () => {
  const key = randomUUID();
  const before = await sources();
  const responses = await Promise.all(Array.from({ length: 12 }, () => upload(key, picture())));
  const ids = new Set();
  for (const response of responses) {
    const document = await response.json();
    if (response.status === 202) ids.add(document.id);
    else {
      assert.equal(response.status, 409, JSON.stringify(document));
      assert.equal(response.headers.get("retry-after"), "5");
    }
  }
  assert.equal(ids.size, 1);
  assert.equal(await sources(), before + 1);
});

test("a key is kept while its upload is on its way, and given back when the client hangs up", async () => {
  const key = randomUUID();
  const type = `multipart/form-data; boundary=b\r\nIdempotency-Key: ${key}`;
  const head = Buffer.from('--b\r\nContent-Disposition: form-data; name="image"; filename="a.png"\r\n\r\n');
  let release;
  const held = new Promise((resolve) => (release = resolve));
  async function* body() {
    yield Buffer.concat([head, PNG]);
    await held;
  }
  const slow = post(url, { type, body: body(), hangUp: true });
  let status;
  const deadline = Date.now() + 10_000;
  do {
    // Until the slow one has claimed it, the key is free for others; each of them takes a new one.
    await sleep(100);
    const probe = await upload(key, raw(Buffer.from("no image"), "image/png"));
    ({ status } = probe);
    if (status === 409) await refused(probe, 409, "idempotency-key-in-use");
    else await probe.arrayBuffer();
  } while (status !== 409 && Date.now() < deadline);
  assert.equal(status, 409);
  release();
  await slow;
  do {
    await sleep(50);
    ({ status } = await upload(key, picture()));
  } while (status === 409 && Date.now() < deadline);
  assert.equal(status, 202);
});

test("what was refused may be corrected under its key", async () => {
  const key = randomUUID();
  await refused(await upload(key, picture(Buffer.from("text"))), 400, "not-an-image");
  assert.equal((await upload(key, picture())).status, 202);
});

test("a key is a string of printable characters", async () => {
  for (const key of ['""', '"a', `"${"k".repeat(256)}"`, '"a\\b"']) {
    await refused(await upload(key, picture()), 400, "invalid-idempotency-key");
  }
});
