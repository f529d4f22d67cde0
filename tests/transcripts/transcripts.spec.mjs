//! Every transcript in this folder, over real HTTP; run alone, it prints the heads of requests and responses.

import { mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { crc32 } from "node:zlib";
import { server } from "../contract/server.mjs";
import { picture } from "../images/pictures.mjs";
import { examplePng } from "../../src/tools/example.mjs";
import { inRoot } from "../../src/tools/paths.mjs";
import { parse, run } from "./transcript.mjs";

const FOLDER = inRoot("tests", "transcripts");
const MAX_UPLOAD_BYTES = "100000";

// As `npm start` has it, but for a limit that small files can exceed.
const workers = server({ vars: { LISTING: "1", MAX_UPLOAD_BYTES } });

const folder = mkdtempSync(join(tmpdir(), "transcripts-"));
after(() => rmSync(folder, { recursive: true, force: true }));
before(() => {
  writeFileSync(join(folder, "photo.jpg"), picture("photo.jpg"));
  writeFileSync(join(folder, "letter.txt"), "Dear Sir or Madam, this is a letter, not an image.\n");
  writeFileSync(join(folder, "drawing.svg"), '<svg xmlns="http://www.w3.org/2000/svg"/>');
  writeFileSync(join(folder, "half.png"), examplePng(200, 200).subarray(0, 2_000));
  writeFileSync(join(folder, "endless.png"), endlessPng());
  writeFileSync(join(folder, "large.jpg"), Buffer.concat([picture("photo.jpg"), Buffer.alloc(200_000)]));
});

/** A PNG of 30000x30000 pixels, as its header says. */
function endlessPng() {
  const bytes = examplePng(8, 8);
  bytes.writeUInt32BE(30_000, 16);
  bytes.writeUInt32BE(30_000, 20);
  bytes.writeUInt32BE(crc32(bytes.subarray(12, 29)), 29);
  return bytes;
}

for (const file of readdirSync(FOLDER).filter((name) => name.endsWith(".txt")).sort()) {
  describe(file, () => {
    const names = new Map();
    for (const exchange of parse(readFileSync(join(FOLDER, file), "utf8"))) {
      test(exchange.name, async () => {
        names.set("service", workers.url("/").slice(0, -1));
        for (const step of exchange.steps) await run(step, { folder, names, print: console.log });
      });
    }
  });
}
