//! Large pictures that are delivered to one instance of the origin at the same time: they share its
//! memory, and each of them is made in its first attempt.
//!
//! `wrangler dev` delivers one message after the other. Here a post box takes them off the queue, and the
//! spec hands all that are in it to the origin at once, as a platform with one busy machine may do.

import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { FORMATS, tiff } from "../images/pictures.mjs";
import { pngOf } from "../../src/tools/example.mjs";
import { inRoot } from "../../src/tools/paths.mjs";
import { eventually, raw } from "./client.mjs";
import { harness, ORIGIN } from "./harness.mjs";

const MIB = 1024 * 1024;
/** What the linker lets the wasm grow to: `--max-memory` in .cargo/config.toml. */
const MAX_WASM_BYTES = 96 * MIB;
/** No test of speed: who has not ended by then never will. */
const DEADLINE_MS = 300_000;

const folder = mkdtempSync(join(tmpdir(), "edge-thumbnails-crowd-"));
after(() => rmSync(folder, { recursive: true }));

const workers = harness({ configs: ["wrangler.toml", originWithoutItsQueue(), postBox()] });

function originWithoutItsQueue() {
  const whole = readFileSync(inRoot("wrangler.origin.toml"), "utf8");
  const [head, , ...others] = whole.split("[[queues.consumers]]");
  const config = [head, ...others].join("[[queues.consumers]]").replace("build/origin/index.js", inRoot("build", "origin", "index.js"));
  assert.ok(!config.includes('queue = "edge-thumbnails-resize"\n'));
  return written("origin.toml", config);
}

function postBox() {
  return written(
    "post_box.toml",
    `name = "post-box"
main = ${JSON.stringify(inRoot("tests", "worker", "post_box.mjs"))}
compatibility_date = "2026-08-01"
[[queues.consumers]]
queue = "edge-thumbnails-resize"
max_batch_timeout = 0
`,
  );
}

function written(name, text) {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

/** Returns a PNG of a slope with a little noise: some 10 MB at 12 megapixels. */
function slope(width, height) {
  const stride = 1 + width * 3;
  const rows = Buffer.alloc(height * stride);
  let state = 1;
  for (let y = 0; y < height; y++) {
    for (let x = 0, at = y * stride + 1; x < width; x++, at += 3) {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      rows[at] = (x * 255) / width;
      rows[at + 1] = (y * 255) / height;
      rows[at + 2] = state >>> 28;
    }
  }
  return pngOf(width, height, rows);
}

/** Uploads pictures, `[{ bytes, mediaType, query }]`, one after the other. */
async function upload(pictures) {
  const jobs = [];
  for (const { bytes, mediaType, query = "" } of pictures) {
    const response = await workers.fetch(`/thumbnails${query}`, raw(bytes, mediaType));
    assert.equal(response.status, 202, await response.clone().text());
    jobs.push(await response.json());
  }
  return jobs;
}

/** Hands over what is in the post box, all at once, until every job has ended; returns their documents. */
async function deliver(jobs) {
  const box = workers.server.getWorker("post-box");
  const origin = await workers.server.getWorker(ORIGIN).getExport();
  const handed = [];
  const hand = async (body) => {
    const result = await origin.queue("edge-thumbnails-resize", [{ id: `m${handed.length}`, timestamp: new Date(), attempts: 1, body }]);
    assert.equal(result.outcome, "ok");
    assert.deepEqual(result.retryMessages, []);
  };
  const waiting = async () => (await box.fetch("http://post-box/")).json();
  const first = [];
  await eventually("all messages", async () => {
    first.push(...(await waiting()));
    return first.length >= jobs.length;
  });
  handed.push(...first.map(hand));
  const documents = await eventually(
    "the end of all jobs",
    async () => {
      handed.push(...(await waiting()).map(hand));
      const all = await Promise.all(jobs.map(async ({ id }) => (await workers.fetch(`/thumbnails/${id}`)).json()));
      return all.every(({ status }) => ["done", "failed"].includes(status)) && all;
    },
    DEADLINE_MS,
  );
  await Promise.all(handed);
  return { documents, sends: handed.length };
}

async function assertAllDone(pictures) {
  const jobs = await upload(pictures);
  const { documents, sends } = await deliver(jobs);
  for (const { status, attempts, problem } of documents) {
    assert.deepEqual([status, attempts], ["done", 1], JSON.stringify(problem));
  }
  const peak = Math.max(...documents.map(({ peak_memory_bytes }) => peak_memory_bytes));
  assert.ok(peak < MAX_WASM_BYTES, `${peak} bytes`);
  assert.ok(sends > jobs.length, "together they are more than fits, and some were put off");
  console.log(`${jobs.length} jobs, ${sends - jobs.length} times put off, ${(peak / MIB).toFixed(1)} MiB of wasm memory at most`);
  return documents;
}

test("ten TIFFs of 15 MB", async () => {
  const picture = { bytes: tiff(2500, 2000), mediaType: "image/tiff" };
  await assertAllDone(Array(10).fill(picture));
});

const large = slope(4000, 3000);
const FOUR = "?sizes=100x100,320x240,800x600,1600x1200&gravity=attention";

test("ten PNGs of 12 megapixels, in four sizes each, cut where something is", async () => {
  const documents = await assertAllDone(Array(10).fill({ bytes: large, mediaType: "image/png", query: FOUR }));
  for (const { thumbnails } of documents) assert.equal(thumbnails.length, 4);
});

test("large and small ones of all formats", async () => {
  const small = FORMATS.map(({ bytes, mediaType }) => ({ bytes, mediaType }));
  const others = [
    { bytes: tiff(2500, 2000), mediaType: "image/tiff" },
    { bytes: large, mediaType: "image/png", query: FOUR },
    { bytes: large, mediaType: "image/png", query: "?size=1600x1200&format=webp" },
  ];
  await assertAllDone([...others, ...small, ...others, ...small]);
});
