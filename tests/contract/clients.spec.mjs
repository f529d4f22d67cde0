//! Today's clients, each as its users have it: Python's `requests`, `httpx` and `aiohttp`, and the `fetch` of Node.

import assert from "node:assert/strict";
import { openAsBlob } from "node:fs";
import { test } from "node:test";
import { describe } from "../images/pictures.mjs";
import { inRoot } from "../../src/tools/paths.mjs";
import { PYTHON, pythonEnvironment } from "../../src/tools/python.mjs";
import { capture } from "../../src/tools/run.mjs";
import { eventually } from "../worker/client.mjs";
import { server } from "./server.mjs";

const SCRIPT = inRoot("tests", "contract", "clients.py");
const PHOTO = inRoot("tests", "images", "photo.jpg");

const workers = server();

for (const library of ["requests", "httpx"]) {
  test(`Python's ${library} uploads, reads and deletes`, async () => {
    const args = [SCRIPT, library, workers.url("/"), PHOTO];
    const { code, output } = await capture(PYTHON, args, { env: pythonEnvironment() });
    assert.equal(code, 0, output);
    assert.equal(output.trim(), "ok");
  });
}

test("Python's aiohttp uploads, reads and deletes", async () => {
  const args = [inRoot("tests", "contract", "client_aiohttp.py"), workers.url("/"), PHOTO];
  const { code, output } = await capture(PYTHON, args, { env: pythonEnvironment() });
  assert.equal(code, 0, output);
  assert.equal(output.trim(), "ok");
});

test("Node's fetch uploads a file from the disk without reading it first", async () => {
  const data = new FormData();
  data.append("image", await openAsBlob(PHOTO), "cat.jpg");
  const response = await fetch(workers.url("/thumbnails?size=64x48"), { method: "POST", body: data });
  assert.equal(response.status, 202);
  const job = await response.json();
  assert.equal(response.headers.get("location"), job.status_url);
  const image = await eventually("the thumbnail", async () => {
    const answer = await fetch(job.resized_image_url);
    return answer.status !== 409 && answer;
  });
  assert.equal(image.status, 200);
  assert.deepEqual(describe(Buffer.from(await image.arrayBuffer())), { format: "jpeg", width: 64, height: 48 });
});
