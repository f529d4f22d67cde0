//! The description of the API and its viewer are served from here, without any other host.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { inRoot } from "../tools/paths.mjs";
import { harness } from "./harness.mjs";

const workers = harness();

test("/openapi.json is the description in OpenAPI 3.1, readable from any page", async () => {
  const response = await workers.fetch("/openapi.json");
  assert.equal(response.status, 200);
  assert.match(response.headers.get("content-type"), /^application\/json/);
  assert.equal(response.headers.get("access-control-allow-origin"), "*");
  const api = await response.json();
  assert.equal(api.openapi, "3.1.0");
  assert.deepEqual(api, JSON.parse(readFileSync(inRoot("src", "assets", "openapi.json"), "utf8")));
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

for (const [name, languages] of [
  ["clients", ["sh", "python", "js", "html"]],
  ["webhooks", ["js", "python", "rust"]],
]) {
  test(`/docs/${name} is the page of src/docs/${name}.md`, async () => {
    const response = await workers.fetch(`/docs/${name}`);
    assert.equal(response.status, 200);
    assert.match(response.headers.get("content-type"), /^text\/html/);
    assert.match(response.headers.get("content-security-policy"), /default-src 'none'/);
    const page = await response.text();
    for (const language of languages) assert.ok(page.includes(`<code class="language-${language}">`), language);
    for (const link of ["/docs/page.css", "/docs", "/docs/clients", "/docs/webhooks"]) {
      assert.ok(page.includes(`href="${link}"`), link);
      const linked = await workers.fetch(link);
      assert.equal(linked.status, 200, link);
      await linked.arrayBuffer();
    }
  });
}
