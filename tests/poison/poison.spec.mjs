//! Pictures that kill the instance which decodes them, among others: they fail, the others get their thumbnails.

import assert from "node:assert/strict";
import { after, test } from "node:test";
import { chunk, examplePng } from "../../src/tools/example.mjs";
import { POISON } from "../../src/tools/build.mjs";
import { client } from "../worker/client.mjs";
import { harness } from "../worker/harness.mjs";
import { poisonConfigs } from "./build.mjs";

const GOOD = 20;
const FAULTS = ["panic", "memory", "abort"];
/** Where the first chunk behind the header of a PNG begins. */
const BEHIND_HEADER = 33;

const { configs, remove } = poisonConfigs();
const workers = harness({ configs, vars: { LEASE_SECS: "2", RESCUE_SECS: "2" } });
after(remove);
const service = client(workers);

function poisoned(fault) {
  const png = examplePng(60, 60);
  const text = chunk("tEXt", Buffer.from(`Comment\0${POISON}${fault}`, "latin1"));
  return Buffer.concat([png.subarray(0, BEHIND_HEADER), text, png.subarray(BEHIND_HEADER)]);
}

// Once beside others, which is no proof, and twice with an instance to themselves.
test("three pictures that kill their attempts fail, twenty beside them are made", async () => {
  const pictures = Array.from({ length: GOOD }, (_, i) => examplePng(50 + i, 60));
  FAULTS.forEach((fault, i) => pictures.splice(4 + i * 6, 0, poisoned(fault)));
  const jobs = [];
  for (const bytes of pictures) jobs.push(await service.upload(bytes));
  const ended = await Promise.all(jobs.map((job) => service.ended(job)));
  const ends = ended.map(({ status, problem }) => problem?.type.split("/").pop() ?? status);
  const isPoison = ends.map((_, i) => [4, 10, 16].includes(i));
  assert.deepEqual(ends, isPoison.map((poison) => (poison ? "poison" : "done")));
  for (const { attempts } of ended.filter((_, i) => isPoison[i])) assert.equal(attempts, 3);
});

test("the service goes on", async () => {
  assert.ok((await service.bytes(await service.upload(examplePng(80, 80)))).length > 0);
});
