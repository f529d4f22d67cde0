//! The clients that src/docs/clients.md shows, each as it stands there, against a real service.

import assert from "node:assert/strict";
import { once } from "node:events";
import { copyFileSync, mkdtempSync, openAsBlob, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { launch } from "../browser/chromium.mjs";
import { describe } from "../images/pictures.mjs";
import { inRoot } from "../../src/tools/paths.mjs";
import { PYTHON, pythonEnvironment } from "../../src/tools/python.mjs";
import { capture } from "../../src/tools/run.mjs";
import { server } from "./server.mjs";

const LOCAL = "http://127.0.0.1:8787";
const THUMBNAIL = { format: "jpeg", width: 200, height: 150 };
const docs = readFileSync(inRoot("src", "docs", "clients.md"), "utf8");

const workers = server();

const folder = mkdtempSync(join(tmpdir(), "clients-"));
after(() => rmSync(folder, { recursive: true, force: true }));
const photo = join(folder, "cat.jpg");
copyFileSync(inRoot("tests", "images", "photo.jpg"), photo);

const service = () => new URL(workers.url("/")).origin;

/** Returns the code of a language, with the address of this service. */
function shown(language) {
  const [, text] = docs.split(`<!-- run by tests/contract/docs.spec.mjs -->\n\`\`\`${language}\n`);
  assert.ok(text, `clients.md has no ${language}`);
  return text.split("\n```")[0].replaceAll(LOCAL, service());
}

test("curl", async () => {
  const { code, output } = await capture("bash", ["-euo", "pipefail", "-c", shown("sh")], { cwd: folder });
  assert.equal(code, 0, output);
  assert.deepEqual(describe(readFileSync(join(folder, "thumbnail.jpg"))), THUMBNAIL);
});

test("Python", async () => {
  const script = join(folder, "client.py");
  const made = join(folder, "python.jpg");
  const use = `import sys\nopen(sys.argv[3], "wb").write(thumbnail(sys.argv[1], sys.argv[2], size="200x150", enlarge=True))`;
  writeFileSync(script, `${shown("python")}\n\n${use}\n`);
  const run = (service, file) => capture(PYTHON, [script, service, file, made], { env: pythonEnvironment() });
  for (const address of [service(), `${service()}/`]) {
    const { code, output } = await run(address, photo);
    assert.equal(code, 0, output);
    assert.deepEqual(describe(readFileSync(made)), THUMBNAIL);
  }
  // It says why the service refuses.
  const { code, output } = await run(service(), script);
  assert.equal(code, 1);
  assert.match(output, /HTTPError: .*not an image/);
});

test("JavaScript", async () => {
  const file = join(folder, "client.mjs");
  writeFileSync(file, shown("js"));
  const { thumbnail } = await import(file);
  const blob = await thumbnail(`${service()}/`, await openAsBlob(photo), { size: "200x150", enlarge: true });
  assert.deepEqual(describe(Buffer.from(await blob.arrayBuffer())), THUMBNAIL);
  await assert.rejects(thumbnail(service(), new Blob(["no image"])), /not an image/);
});

test("a form in a page, and JavaScript in one of another origin", async () => {
  const browser = await launch();
  after(() => browser.close());
  const page = await browser.newPage();
  const html = `<!doctype html><script type="module">${shown("js")}\nglobalThis.thumbnail = thumbnail;</script>${shown("html")}`;
  // Another port is another origin.
  const pages = createServer((_, response) => response.writeHead(200, { "content-type": "text/html" }).end(html));
  after(() => pages.close());
  await once(pages.listen(0, "127.0.0.1"), "listening");
  await page.goto(`http://127.0.0.1:${pages.address().port}/`);
  await page.setInputFiles("input[type=file]", photo);
  const size = await page.evaluate(async (address) => {
    const [picture] = document.querySelector("input[type=file]").files;
    const image = await createImageBitmap(await globalThis.thumbnail(address, picture, { size: "200x150" }));
    return [image.width, image.height];
  }, service());
  assert.deepEqual(size, [200, 150]);
  const [response] = await Promise.all([page.waitForNavigation(), page.click("button")]);
  assert.equal(response.status(), 202);
  const job = await response.json();
  const image = await fetch(job.resized_image_url, { headers: { prefer: "wait=20" } });
  assert.deepEqual(describe(Buffer.from(await image.arrayBuffer())), THUMBNAIL);
});
