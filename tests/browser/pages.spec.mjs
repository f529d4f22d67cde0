//! The pages as people have them: on a phone, in the dark, with a keyboard, with pictures dropped anywhere.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, test } from "node:test";
import { picture } from "../images/pictures.mjs";
import { server } from "../contract/server.mjs";
import { PAGES as DOCS } from "../../src/tools/assets.mjs";
import { inRoot } from "../../src/tools/paths.mjs";
import { launch } from "./chromium.mjs";

const PAGES = ["/", "/docs", ...DOCS.map((name) => `/docs/${name}`)];
const PHONE = { width: 375, height: 667 };
const axe = readFileSync(inRoot("node_modules", "axe-core", "axe.min.js"), "utf8");

const workers = server();

let browser;
before(async () => {
  browser = await launch();
});
after(() => browser?.close());

async function open(path, options) {
  const page = await browser.newPage(options);
  await page.goto(workers.url(path), { waitUntil: "networkidle" });
  // The viewer draws when it has read the description, which takes a while on a busy machine.
  if (path === "/docs") await page.locator(".opblock-tag").nth(3).waitFor();
  return page;
}

test("no page is wider than a phone", async () => {
  for (const path of PAGES) {
    const page = await open(path, { viewport: PHONE });
    const width = await page.evaluate(() => document.scrollingElement.scrollWidth);
    assert.ok(width <= PHONE.width, `${path} is ${width} pixels wide`);
    await page.close();
  }
});

test("what scrolls sideways is reached by keyboard", async () => {
  for (const path of ["/docs/clients", "/docs/webhooks"]) {
    const page = await open(path, { viewport: PHONE });
    const lost = await page.evaluate(() =>
      [...document.querySelectorAll("main *")]
        .filter((element) => element.scrollWidth > element.clientWidth && getComputedStyle(element).overflowX === "auto")
        .filter((element) => element.tabIndex < 0)
        .map((element) => element.outerHTML.slice(0, 80)),
    );
    assert.deepEqual(lost, []);
    await page.locator("pre").first().focus();
    await page.keyboard.press("ArrowRight");
    await page.waitForFunction(() => document.activeElement.scrollLeft > 0);
    await page.close();
  }
});

test("nothing that axe finds is wrong, in the dark and in the light", async () => {
  for (const colorScheme of ["dark", "light"]) {
    for (const path of PAGES) {
      const page = await open(path, { colorScheme });
      await page.evaluate(axe);
      // The viewer's own elements are not ours, but its colors have to follow.
      const context = { include: [["html"]], exclude: path === "/docs" ? [["#api"]] : [] };
      const { violations } = await page.evaluate((context) => globalThis.axe.run(context), context);
      const found = violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`);
      assert.deepEqual(found, [], `${path}, ${colorScheme}`);
      await page.close();
    }
  }
});

test("the viewer of the API is dark in the dark", async () => {
  for (const [colorScheme, isDark] of [["dark", true], ["light", false]]) {
    const page = await open("/docs", { colorScheme });
    const color = await page.locator(".swagger-ui").first().evaluate((element) => getComputedStyle(element).backgroundColor);
    const [red] = /\d+/.exec(color) ?? [255];
    assert.equal(color !== "rgba(0, 0, 0, 0)" && Number(red) < 64, isDark, color);
    await page.close();
  }
});

test("an image that is dropped below the content is uploaded", async () => {
  const page = await open("/", { viewport: { width: 800, height: 1_000 } });
  await page.evaluate((base64) => {
    const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
    const dataTransfer = new DataTransfer();
    dataTransfer.items.add(new File([bytes], "photo.jpg", { type: "image/jpeg" }));
    const below = document.elementFromPoint(400, 990);
    for (const type of ["dragover", "drop"]) {
      const taken = !below.dispatchEvent(new DragEvent(type, { dataTransfer, bubbles: true, cancelable: true }));
      if (!taken) throw new Error(`${type} is left to the browser`);
    }
  }, picture("photo.jpg").toString("base64"));
  await page.locator("li[data-status=done]").waitFor();
  await page.close();
});

test("the operations of the API stand under what they are about", async () => {
  const page = await open("/docs");
  const tags = await page.locator(".opblock-tag").evaluateAll((all) => all.map(({ dataset }) => dataset.tag));
  assert.deepEqual(tags, ["Thumbnails", "Jobs", "Live status", "Service"]);
  await page.close();
});
