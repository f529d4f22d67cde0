//! The upload page in a browser: twenty photos, each change shown live, whatever breaks.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { flatPng, picture } from "../images/pictures.mjs";
import { server } from "../contract/server.mjs";
import { launch } from "./chromium.mjs";

const PHOTOS = 20;
const DEADLINE_MS = 120_000;

const workers = server({ vars: { RESCUE_SECS: "2", LEASE_SECS: "3", MAX_LOST_ATTEMPTS: "20" }, samePort: true });

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser?.close());

const photo = (name, buffer) => ({ name, mimeType: "image/png", buffer });
/** Photos that take a while, so that there is something to see; one of them is none. */
const photos = [
  ...Array.from({ length: PHOTOS - 2 }, (_, i) => photo(`photo ${i}.png`, flatPng(1_500 + i, 1_500))),
  photo("photo.jpg", picture("photo.jpg")),
  photo("notes.png", Buffer.from("these are no pixels")),
];

/** Opens the page, notes every status that a tile ever shows, and chooses the photos. */
async function upload(query = "") {
  const page = await browser.newPage();
  const faults = [];
  const requests = [];
  const sockets = [];
  page.on("pageerror", (error) => faults.push(error.message));
  page.on("console", (message) => message.text().includes("Content Security Policy") && faults.push(message.text()));
  page.on("request", (request) => requests.push(new URL(request.url()).pathname));
  page.on("websocket", (socket) => sockets.push(socket.url()));
  await page.goto(workers.url(`/${query}`));
  await page.evaluate(() => {
    globalThis.shown = [];
    new MutationObserver((changes) => {
      for (const { target } of changes) globalThis.shown.push(target.dataset.status);
    }).observe(document.getElementById("tiles"), { attributeFilter: ["data-status"], subtree: true });
  });
  await page.setInputFiles("#files", photos);
  return { page, faults, requests, sockets };
}

/** Waits until every tile has ended, and checks how. */
async function allEnded({ page, faults }) {
  const ended = "li[data-status=done], li[data-status=failed]";
  await page.waitForFunction(
    ({ ended, count }) => document.querySelectorAll(ended).length === count,
    { ended, count: PHOTOS },
    { timeout: DEADLINE_MS },
  );
  const failed = await page.locator("li[data-status=failed]").allTextContents();
  assert.equal(failed.length, 1, failed.join("\n"));
  assert.match(failed[0], /^notes\.png/);
  const sizes = await page.evaluate(() => [...document.images].map((image) => [image.naturalWidth, image.naturalHeight]));
  assert.deepEqual(sizes, Array(PHOTOS - 1).fill([100, 100]));
  assert.equal(await page.textContent("#summary"), `${PHOTOS - 1} of ${PHOTOS} done, 1 failed`);
  assert.deepEqual(faults, []);
}

const polled = ({ requests }) => requests.filter((path) => /^\/thumbnails\/[0-9a-f-]{36}$/.test(path)).length;

test("over one WebSocket", { timeout: DEADLINE_MS }, async () => {
  const visit = await upload();
  await allEnded(visit);
  assert.equal(visit.sockets.length, 1);
  assert.equal(polled(visit), 0);
  const shown = await visit.page.evaluate(() => globalThis.shown);
  for (const status of ["uploading", "pending", "processing", "done"]) assert.ok(shown.includes(status), status);
  await visit.page.close();
});

test("over a stream of events", { timeout: DEADLINE_MS }, async () => {
  const visit = await upload("?transport=sse");
  await allEnded(visit);
  assert.equal(visit.sockets.length, 0);
  assert.equal(polled(visit), 0);
  assert.ok(visit.requests.includes("/events"));
  assert.ok((await visit.page.evaluate(() => globalThis.shown)).includes("processing"));
  await visit.page.close();
});

test("by asking again and again", { timeout: DEADLINE_MS }, async () => {
  const visit = await upload("?transport=poll");
  await allEnded(visit);
  assert.equal(visit.sockets.length, 0);
  assert.ok(polled(visit) > 0);
  await visit.page.close();
});

for (const query of ["", "?transport=sse"]) {
  test(`while everything is killed in the middle ${query}`, { timeout: DEADLINE_MS }, async () => {
    const visit = await upload(query);
    await visit.page.waitForSelector("li[data-status=done]", { timeout: DEADLINE_MS });
    await workers.crash();
    await allEnded(visit);
    await visit.page.close();
  });
}

test("a key whose first try died with its server is given up for another one", { timeout: DEADLINE_MS }, async () => {
  const page = await browser.newPage();
  const keys = [];
  await page.route("**/thumbnails", async (route) => {
    const key = route.request().headers()["idempotency-key"];
    keys.push(key);
    if (key !== keys[0]) return route.continue();
    const detail = "an upload with this Idempotency-Key is still on its way";
    const headers = { "content-type": "application/problem+json", "retry-after": "0" };
    return route.fulfill({ status: 409, headers, body: JSON.stringify({ detail }) });
  });
  await page.goto(workers.url("/"));
  await page.setInputFiles("#files", [photos[0]]);
  await page.waitForSelector("li[data-status=done]", { timeout: DEADLINE_MS });
  assert.equal(keys.length, 4);
  assert.equal(new Set(keys).size, 2);
  assert.equal(new Set(keys.slice(0, 3)).size, 1);
  await page.close();
});

test("the tile of an image that is cut says so", { timeout: DEADLINE_MS }, async () => {
  const page = await browser.newPage();
  await page.goto(workers.url("/"));
  await page.setInputFiles("#files", [{ name: "cut.jpg", mimeType: "image/jpeg", buffer: picture("photo.jpg").subarray(0, 2_800) }]);
  const tile = page.locator("li[data-status=done] span");
  await tile.waitFor({ timeout: DEADLINE_MS });
  assert.equal(await tile.textContent(), "Done, 100 × 100. The file is cut or damaged: parts of the image are missing.");
  await page.close();
});

test("without scripts the form still uploads", async () => {
  const context = await browser.newContext({ javaScriptEnabled: false });
  const page = await context.newPage();
  await page.goto(workers.url("/"));
  await page.setInputFiles("#files", [photos[0]]);
  const [response] = await Promise.all([page.waitForNavigation(), page.click("#send")]);
  assert.equal(response.status(), 202);
  await context.close();
});
