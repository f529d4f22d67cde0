//! A record that a later build has stored, as after a rollback: it is refused, and stays as it is.

import assert from "node:assert/strict";
import { test } from "node:test";
import { server } from "../contract/server.mjs";
import { examplePng } from "../../src/tools/example.mjs";
import { records, rewriteRecords } from "../../src/tools/stored.mjs";
import { client } from "./client.mjs";

const workers = server();
const service = client(workers);

test("nothing is lost of a record of a later version", async () => {
  const job = await service.upload(examplePng(60, 60));
  const bytes = await service.bytes(job);
  const later = await workers.whileStopped((state) => {
    rewriteRecords(state, (record) => ({ ...record, v: 2, later: { more: [1] } }));
    return records(state);
  });
  assert.equal(later[0].v, 2);
  // What R2 says needs no record.
  assert.deepEqual(await service.bytes(job), bytes);
  for (const [path, method] of [["", "DELETE"], ["/retry", "POST"]]) {
    const response = await workers.fetch(`/thumbnails/${job.id}${path}`, { method });
    const problem = await response.json();
    assert.deepEqual([response.status, problem.type.split("/").pop()], [503, "unavailable"], JSON.stringify(problem));
    assert.ok(response.headers.get("retry-after"));
  }
  const after = await workers.whileStopped((state) => {
    const kept = records(state);
    rewriteRecords(state, ({ later, ...record }) => ({ ...record, v: 1 }));
    return kept;
  });
  assert.deepEqual(after, later);
  assert.equal((await workers.fetch(`/thumbnails/${job.id}`, { method: "DELETE" })).status, 204);
});
