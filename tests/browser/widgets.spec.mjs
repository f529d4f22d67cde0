//! The upload widgets that src/docs/clients.md shows, each with its own defaults, in a page of another origin.

import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { after, before, test } from "node:test";
import { build } from "esbuild";
import { server } from "../contract/server.mjs";
import { inRoot, root } from "../../src/tools/paths.mjs";
import { launch } from "./chromium.mjs";

const LOCAL = "http://127.0.0.1:8787";
const PHOTO = inRoot("tests", "images", "photo.jpg");
const NOTES = inRoot("README.md");

const docs = readFileSync(inRoot("src", "docs", "clients.md"), "utf8");
const blocks = docs.split("<!-- run by tests/browser/widgets.spec.mjs -->\n```js\n").slice(1).map((text) => text.split("\n```")[0]);
const SHOW = blocks.find((code) => code.includes("function show("));

const workers = server();

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser?.close());

/** Returns the code of a package as clients.md shows it, with `show` before it. */
function shown(name) {
  const code = blocks.find((code) => code.includes(`from "${name}"`));
  assert.ok(code && SHOW, `clients.md has no code for ${name}`);
  return `${SHOW}\n${code}`;
}

/** Opens a page of another origin that runs code and has somewhere to put files. */
async function open(code) {
  const service = new URL(workers.url("/")).origin;
  const stdin = { contents: code.replaceAll(LOCAL, service), resolveDir: root };
  const bundle = await build({ stdin, bundle: true, write: false, format: "iife", logLevel: "silent" });
  const html = `<!doctype html><input type="file" multiple><div id="dropzone">Drop</div><script src="/page.js"></script>`;
  // Another port is another origin.
  const pages = createServer(({ url }, response) => {
    const isScript = url === "/page.js";
    response.writeHead(200, { "content-type": isScript ? "text/javascript" : "text/html" });
    response.end(isScript ? bundle.outputFiles[0].text : html);
  });
  await once(pages.listen(0, "127.0.0.1"), "listening");
  const page = await browser.newPage();
  const faults = [];
  page.on("pageerror", (error) => faults.push(error.message));
  await page.goto(`http://127.0.0.1:${pages.address().port}/`);
  const close = () => page.close().then(() => pages.close());
  return { page, faults, close };
}

/** Asserts that two thumbnails of the photo are shown. */
async function assertShown({ page, faults, close }) {
  await page.waitForFunction(() => document.querySelectorAll("body > img").length === 2);
  const sizes = await page.evaluate(() =>
    Promise.all([...document.querySelectorAll("body > img")].map((image) => image.decode().then(() => [image.naturalWidth, image.naturalHeight]))),
  );
  assert.deepEqual(sizes, [[100, 100], [100, 100]]);
  assert.deepEqual(faults, []);
  await close();
}

test("Uppy with XHRUpload", async () => {
  const opened = await open(shown("@uppy/core"));
  await opened.page.setInputFiles("input", [PHOTO, inRoot("tests", "images", "progressive.jpg")]);
  await assertShown(opened);
});

test("FilePond", async () => {
  const opened = await open(shown("filepond"));
  const { page } = opened;
  await page.setInputFiles("input[type=file]", [PHOTO, inRoot("tests", "images", "progressive.jpg")]);
  await page.waitForFunction(() => document.querySelectorAll("body > img").length === 2);
  // Taking one back deletes its job.
  const deleted = page.waitForResponse((response) => response.request().method() === "DELETE");
  await page.locator(".filepond--action-revert-item-processing").first().click();
  assert.equal((await deleted).status(), 204);
  await assertShown(opened);
});

test("FilePond with nothing but the address, and what it shows of a refusal", async () => {
  const plain = await open(`import * as FilePond from "filepond";\nFilePond.create(document.querySelector("input"), { server: "${LOCAL}/thumbnails" });`);
  await plain.page.setInputFiles("input[type=file]", PHOTO);
  await plain.page.locator("[data-filepond-item-state=processing-complete]").waitFor({ state: "attached" });
  await plain.close();
  const refused = await open(shown("filepond"));
  await refused.page.setInputFiles("input[type=file]", NOTES);
  await refused.page.getByText(/not an image/).first().waitFor();
  await refused.close();
});

test("Dropzone", async () => {
  const opened = await open(shown("dropzone"));
  await opened.page.setInputFiles(".dz-hidden-input", [PHOTO, inRoot("tests", "images", "progressive.jpg")]);
  await assertShown(opened);
  const refused = await open(shown("dropzone"));
  await refused.page.setInputFiles(".dz-hidden-input", NOTES);
  await refused.page.locator("[data-dz-errormessage]", { hasText: /not an image/ }).waitFor({ state: "attached" });
  await refused.close();
});
