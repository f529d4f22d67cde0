//! Puts the files that are served into build/assets: our own, the viewer of the description, and src/docs as pages.

import { cpSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { inRoot } from "./paths.mjs";

const TARGET = inRoot("build", "assets");
/** What of swagger-ui-dist the page /docs asks for. */
const VIEWER = ["swagger-ui.css", "swagger-ui-bundle.js", "favicon-32x32.png"];

/** Assembles build/assets anew. */
export async function assembleAssets() {
  // Not above: whoever imports this file may be about to install the packages.
  const { Marked, Renderer } = await import("marked");
  const marked = new Marked({ renderer: scrolling(Renderer.prototype) });
  rmSync(TARGET, { recursive: true, force: true });
  mkdirSync(TARGET, { recursive: true });
  cpSync(inRoot("src", "assets"), TARGET, { recursive: true });
  for (const name of VIEWER) {
    cpSync(inRoot("node_modules", "swagger-ui-dist", name), inRoot("build", "assets", "docs", name));
  }
  for (const name of readdirSync(inRoot("src", "docs"))) {
    const text = readFileSync(inRoot("src", "docs", name), "utf8");
    writeFileSync(inRoot("build", "assets", "docs", name.replace(/md$/, "html")), page(text, marked.parse(text, { async: false })));
  }
}

/** Code and tables that are wider than the screen scroll by themselves, by keyboard too. */
const scrolling = (plain) => ({
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
    <nav><a href="/docs">API</a> <a href="/docs/clients">Clients</a> <a href="/docs/webhooks">Webhooks</a></nav>
    <main>
${html}    </main>
  </body>
</html>
`;
}
