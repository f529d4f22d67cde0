//! Puts the files that are served into build/assets: our own, the viewer of the description, and src/docs as pages.

import { cpSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { inRoot } from "./paths.mjs";

const TARGET = inRoot("build", "assets");
/** What of swagger-ui-dist the page /docs asks for. */
const VIEWER = ["swagger-ui.css", "swagger-ui-bundle.js", "favicon-32x32.png"];

/** The pages of src/docs, in the order in which they are linked. */
export const PAGES = ["clients", "api", "options", "errors", "live", "webhooks", "deploy", "configuration", "compare"];

/** Assembles build/assets anew. */
export async function assembleAssets() {
  // Not above: whoever imports this file may be about to install the packages.
  const { Marked, Renderer } = await import("marked");
  const { gfmHeadingId } = await import("marked-gfm-heading-id");
  const marked = new Marked({ renderer: served(Renderer.prototype) }, gfmHeadingId());
  rmSync(TARGET, { recursive: true, force: true });
  mkdirSync(TARGET, { recursive: true });
  cpSync(inRoot("src", "web", "assets"), TARGET, { recursive: true });
  for (const name of VIEWER) {
    cpSync(inRoot("node_modules", "swagger-ui-dist", name), inRoot("build", "assets", "docs", name));
  }
  for (const name of PAGES) {
    const text = readFileSync(inRoot("src", "docs", `${name}.md`), "utf8");
    writeFileSync(inRoot("build", "assets", "docs", `${name}.html`), page(text, marked.parse(text, { async: false })));
  }
}

/** Code and tables that are wider than the screen scroll by themselves, by keyboard too; links lead to where pages are served. */
const served = (plain) => ({
  link(token) {
    const href = token.href.replace(/^([a-z]+)\.md(?=#|$)/, "/docs/$1");
    return plain.link.call(this, { ...token, href });
  },
  code(token) {
    return plain.code.call(this, token).replace("<pre>", '<pre tabindex="0">');
  },
  table(token) {
    return `<div class="wide" tabindex="0">${plain.table.call(this, token)}</div>`;
  },
});

/** Returns the page of a Markdown text of ours, which begins with its title. */
function page(text, html) {
  const [, title] = /^# (.+)$/m.exec(text);
  return `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>edge-thumbnails: ${title}</title>
    <link rel="icon" href="/docs/favicon-32x32.png">
    <link rel="stylesheet" href="/docs/page.css">
  </head>
  <body>
    <nav><a href="/docs">OpenAPI</a> ${PAGES.map((name) => `<a href="/docs/${name}">${name === "api" ? "API" : name}</a>`).join(" ")}</nav>
    <main>
${html}    </main>
  </body>
</html>
`;
}
