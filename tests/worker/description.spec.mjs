//! The description of the API and its viewer are served from here, without any other host.

import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { test } from "node:test";
import { PAGES } from "../../src/tools/assets.mjs";
import { inRoot } from "../../src/tools/paths.mjs";
import { harness } from "./harness.mjs";

const workers = harness();

test("/openapi.json is the description in OpenAPI 3.1, readable from any page", async () => {
  const response = await workers.fetch("/openapi.json");
  assert.equal(response.status, 200);
  assert.match(response.headers.get("content-type"), /^application\/json/);
  assert.equal(response.headers.get("access-control-allow-origin"), "*");
  const api = await response.json();
  assert.equal(api.openapi, "3.1.0");
  assert.deepEqual(api, JSON.parse(readFileSync(inRoot("src", "web", "assets", "openapi.json"), "utf8")));
});

test("/docs shows it, and everything that the page asks for comes from the same host", async () => {
  const response = await workers.fetch("/docs");
  assert.equal(response.status, 200);
  assert.match(response.headers.get("content-security-policy"), /default-src 'none'/);
  const links = [...(await response.text()).matchAll(/(?:src|href)="([^"]+)"/g)].map(([, link]) => link);
  assert.ok(links.length >= 5, String(links));
  for (const link of links) {
    assert.match(link, /^\//, link);
    const asset = await workers.fetch(link);
    assert.equal(asset.status, 200, link);
    await asset.arrayBuffer();
  }
});

test("/docs/{name} is the page of src/docs/{name}.md, and every link on it leads somewhere", async () => {
  const files = readdirSync(inRoot("src", "docs")).map((file) => file.replace(/\.md$/, ""));
  assert.deepEqual(PAGES.toSorted(), files.toSorted());
  const pages = new Map();
  for (const name of PAGES) {
    const response = await workers.fetch(`/docs/${name}`);
    assert.equal(response.status, 200, name);
    assert.match(response.headers.get("content-type"), /^text\/html/);
    assert.match(response.headers.get("content-security-policy"), /default-src 'none'/);
    pages.set(`/docs/${name}`, await response.text());
  }
  for (const [path, page] of pages) {
    for (const [, link] of page.matchAll(/href="([^"]+)"/g)) {
      if (link.startsWith("https://")) continue;
      const [target, anchor] = link.split("#");
      assert.match(target, /^(\/|$)/, `${path}: ${link}`);
      const linked = pages.get(target || path) ?? (await (await found(target)).text());
      if (anchor) assert.ok(linked.includes(`id="${anchor}"`), `${path}: ${link}`);
    }
  }
});

for (const [name, languages] of [
  ["clients", ["sh", "python", "js", "html"]],
  ["webhooks", ["js", "python", "rust"]],
  ["api", ["sh", "python", "js"]],
]) {
  test(`/docs/${name} shows code`, async () => {
    const page = await (await found(`/docs/${name}`)).text();
    for (const language of languages) assert.ok(page.includes(`<code class="language-${language}">`), language);
  });
}

async function found(path) {
  const response = await workers.fetch(path);
  assert.equal(response.status, 200, path);
  return response;
}
