//! Refusals that are decided before the body was read: the client has its answer all the same, every time.
//! `TIMES=50 node_modules/.bin/node --test tests/contract/refused.spec.mjs` asks more often.

import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { examplePng } from "../../src/tools/example.mjs";
import { capture } from "../../src/tools/run.mjs";
import { server } from "./server.mjs";

const TIMES = Number(process.env.TIMES ?? 5);
const MIB = 1024 * 1024;
const service = server();

let folder;
before(() => {
  folder = mkdtempSync(join(tmpdir(), "edge-thumbnails-refused-"));
  // As long as a photo of 12 megapixels is as PNG, and quickly decoded.
  writeFileSync(join(folder, "large.png"), Buffer.concat([examplePng(64, 48), randomBytes(14 * MIB)]));
  writeFileSync(join(folder, "longer.png"), Buffer.concat([examplePng(64, 48), randomBytes(33 * MIB)]));
});
after(() => rmSync(folder, { recursive: true, force: true }));

const form = () => ["-F", `image=@${join(folder, "large.png")}`];
const raw = (type, name = "large.png") => ["-H", `content-type: ${type}`, "--data-binary", `@${join(folder, name)}`];

for (const [what, path, args, status, slug] of [
  ["a form whose query has a wrong option", "/thumbnails?width=0", form, 400, "invalid-option"],
  ["an image whose query has a wrong option", "/thumbnails?width=0", () => raw("image/png"), 400, "invalid-option"],
  ["an image with an unknown option", "/thumbnails?widht=5", () => raw("image/png"), 400, "invalid-option"],
  ["an image without a type", "/thumbnails", () => raw(""), 415, "unsupported-media-type"],
  ["an image of another type", "/thumbnails", () => raw("application/pdf"), 415, "unsupported-media-type"],
  ["33 MiB as they are", "/thumbnails", () => raw("image/png", "longer.png"), 413, "upload-too-large"],
  ["a body where none belongs", "/healthz", () => raw("image/png"), 405, "method-not-allowed"],
  ["a body to nowhere", "/nowhere/at/all", () => raw("image/png"), 404, "not-found"],
  ["an image of options", "/thumbnails/01900000-0000-7000-8000-000000000000", () => raw("image/png"), 413, "upload-too-large"],
]) {
  test(`${what} is refused ${TIMES} of ${TIMES} times: ${slug}`, async () => {
    for (let time = 1; time <= TIMES; time++) {
      const { code, output } = await capture("curl", ["-sS", "-w", "\n%{http_code} %{content_type}", ...args(), service.url(path)]);
      const [told, ...lines] = output.trim().split("\n").reverse();
      const body = lines.reverse().join("\n");
      assert.equal(code, 0, `${time}: ${output}`);
      assert.equal(told, `${status} application/problem+json`, `${time}: ${output.slice(0, 500)}`);
      const document = JSON.parse(body);
      assert.ok(document.type.endsWith(`/problems/${slug}`), document.type);
    }
  });
}
