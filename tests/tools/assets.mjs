//! Puts the files that are served as they are into build/assets: our own, and the viewer of the description.

import { cpSync, mkdirSync, rmSync } from "node:fs";
import { inRoot } from "./paths.mjs";

const TARGET = inRoot("build", "assets");
/** What of swagger-ui-dist the page /docs asks for. */
const VIEWER = ["swagger-ui.css", "swagger-ui-bundle.js", "favicon-32x32.png"];

/** Assembles build/assets anew. */
export function assembleAssets() {
  rmSync(TARGET, { recursive: true, force: true });
  mkdirSync(TARGET, { recursive: true });
  cpSync(inRoot("src", "assets"), TARGET, { recursive: true });
  for (const name of VIEWER) {
    cpSync(inRoot("node_modules", "swagger-ui-dist", name), inRoot("build", "assets", "docs", name));
  }
}
