//! What a page of somebody's own does: it uploads with `FormData`, reads the thumbnail back, and shows it in an `<img>`.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { server } from "../contract/server.mjs";
import { inRoot } from "../../src/tools/paths.mjs";
import { launch } from "./chromium.mjs";

const PHOTO = inRoot("tests", "images", "photo.jpg");

const workers = server();

let browser;
let page;
before(async () => {
  browser = await launch();
  page = await browser.newPage();
});
after(() => browser?.close());

test("a script uploads a file that the user chose and reads the thumbnail back", async () => {
  // Any page of the service will do: what counts is its origin.
  await page.goto(workers.url("/healthz"));
  await page.evaluate(() => (document.body.innerHTML = '<input type="file">'));
  await page.setInputFiles("input", PHOTO);
  const seen = await page.evaluate(async () => {
    const data = new FormData();
    data.append("image", document.querySelector("input").files[0]);
    data.append("size", "64x48");
    const response = await fetch("/thumbnails", { method: "POST", body: data });
    const job = await response.json();
    const deadline = Date.now() + 30_000;
    let image;
    do {
      image = await fetch(job.resized_image_url);
    } while (image.status === 409 && Date.now() < deadline && (await new Promise((done) => setTimeout(done, 100, true))));
    const bitmap = await createImageBitmap(await image.blob());
    const filename = (await (await fetch(job.status_url)).json()).source.filename;
    return { accepted: response.status, status: image.status, width: bitmap.width, height: bitmap.height, filename };
  });
  assert.deepEqual(seen, { accepted: 202, status: 200, width: 64, height: 48, filename: "photo.jpg" });
});

test("an <img> that is asked for again shows the thumbnail once it is there", async () => {
  await page.goto(workers.url("/healthz"));
  const size = await page.evaluate(async (base64) => {
    const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
    const response = await fetch("/thumbnails", { method: "POST", headers: { "content-type": "image/jpeg" }, body: bytes });
    const job = await response.json();
    const deadline = Date.now() + 30_000;
    while (Date.now() < deadline) {
      const image = new Image();
      const loaded = await new Promise((done) => {
        image.onload = () => done(true);
        image.onerror = () => setTimeout(done, 100, false);
        image.src = job.resized_image_url;
      });
      if (loaded) return [image.naturalWidth, image.naturalHeight];
    }
    return undefined;
  }, readFileSync(PHOTO, "base64"));
  assert.deepEqual(size, [100, 100]);
});
