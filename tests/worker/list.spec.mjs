//! Listings: who may have one, their pages while jobs come and go, and an index that is lost, late or out of order.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { before, describe, test } from "node:test";
import { examplePng } from "../../src/tools/example.mjs";
import { inRoot } from "../../src/tools/paths.mjs";
import { client, eventually } from "./client.mjs";
import { harness } from "./harness.mjs";
import { command, newId } from "./jobs.mjs";

const MINUTE_MS = 60_000;

/** Returns a statement as the Worker has it. */
function statement(name) {
  const source = readFileSync(inRoot("src", "platform", "d1.rs"), "utf8");
  return new RegExp(`const ${name}: &str =\\s+"(.*?)";`, "s").exec(source)[1].replace(/\\\n\s*/g, "");
}

describe("where nobody switched it on", () => {
  const workers = harness();

  test("a listing is refused, and says by whom it can be had", async () => {
    const response = await workers.fetch("/thumbnails");
    assert.equal(response.status, 403);
    assert.equal(response.headers.get("cache-control"), "no-store");
    const problem = await response.json();
    assert.ok(problem.type.endsWith("/problems/listing-off"));
    assert.match(problem.detail, /LISTING/);
  });
});

describe("where it is switched on", () => {
  const workers = harness({ vars: { LISTING: "1", TOMBSTONE_SECS: "1" } });
  const service = client(workers);

  /** Returns the answer to a listing: its document, and the path of the next page. */
  async function list(path = "/thumbnails") {
    const response = await workers.fetch(path);
    assert.equal(response.status, 200, await response.clone().text());
    assert.equal(response.headers.get("cache-control"), "no-store");
    const document = await response.json();
    const link = response.headers.get("link");
    assert.equal(link, document.next ? `<${document.next}>; rel="next"` : null);
    const next = document.next && new URL(document.next);
    return { jobs: document.jobs, ids: document.jobs.map(({ id }) => id), next: next && next.pathname + next.search };
  }

  /** Returns the ids of all pages from a path on; `between` runs after each page. */
  async function walk(path, between = () => {}) {
    const pages = [];
    while (path) {
      const page = await list(path);
      pages.push(page.ids);
      path = page.next;
      await between();
    }
    return pages;
  }

  const listed = (id, status) =>
    eventually(`${id} to be listed`, async () => (await list(`/thumbnails?limit=100&status=${status}`)).ids.includes(id));

  async function upload() {
    const job = await service.ended(await service.upload(examplePng(20, 20)));
    await listed(job.id, "done");
    return job.id;
  }

  /** Begins a job of some minutes ago, as an upload would have. */
  async function createAged(minutes) {
    const { STATUS, IMAGES } = await workers.env();
    const like = await service.ended(await service.upload(examplePng(20, 20)));
    const { source, variants } = JSON.parse(await STATUS.get(`status/${like.id}`));
    const id = newId(Date.now() - minutes * MINUTE_MS);
    await IMAGES.put(`source/${id}`, examplePng(20, 20));
    await command(workers, id, { command: "create", id, owner: "anonymous", source, variants });
    await listed(id, "done");
    return id;
  }

  const sql = async (text, ...values) => {
    const { DB } = await workers.env();
    return (await DB.prepare(text).bind(...values).all()).results;
  };

  const row = async (id) => (await sql("SELECT state, revision FROM jobs_v1 WHERE id = ?1", id))[0];

  test("nothing is listed before the first upload", async () => {
    assert.deepEqual((await list()).jobs, []);
    assert.equal((await workers.fetch("/thumbnails", { method: "HEAD" })).status, 200);
  });

  describe("pages", () => {
    const ids = [];
    before(async () => {
      for (let uploads = 0; uploads < 7; uploads++) ids.unshift(await upload());
    });

    test("a job is listed with its own document, the newest first", async () => {
      const { jobs } = await list();
      assert.deepEqual(jobs.map(({ id }) => id), ids);
      assert.deepEqual(jobs[0], await service.status({ id: ids[0] }));
    });

    test("one page after the other has every job once", async () => {
      const pages = await walk("/thumbnails?limit=3&status=done");
      assert.deepEqual(pages, [ids.slice(0, 3), ids.slice(3, 6), ids.slice(6)]);
    });

    test("a last page that is full has no next one", async () => {
      assert.deepEqual((await walk("/thumbnails?limit=7")).length, 1);
    });

    test("jobs that are added between pages repeat none and hide none", async () => {
      const had = [...ids];
      const added = [];
      const pages = await walk("/thumbnails?limit=2", async () => added.unshift(await upload()));
      assert.deepEqual(pages.flat(), had);
      assert.equal(added.length, 4);
      assert.deepEqual((await list()).ids, [...added, ...had]);
      ids.unshift(...added);
    });

    test("a deleted job is listed as cancelled until it is forgotten", async () => {
      const id = ids.splice(4, 1)[0];
      assert.equal((await workers.fetch(`/thumbnails/${id}`, { method: "DELETE" })).status, 204);
      await eventually("its end", async () => {
        const cancelled = (await list("/thumbnails?status=cancelled")).ids;
        return cancelled.includes(id) || !(await row(id));
      });
      assert.deepEqual((await list("/thumbnails?status=done")).ids, ids);
      await eventually("it to be forgotten", async () => !(await row(id)));
      assert.deepEqual((await list()).ids, ids);
    });
  });

  for (const [query, pointers] of [
    ["cursor=x", ["#/cursor"]],
    ["cursor=", ["#/cursor"]],
    [`cursor=${newId()}`, ["#/cursor"]],
    ["limit=0&status=ready", ["#/limit", "#/status"]],
    ["limit=101", ["#/limit"]],
    ["limit=5&limit=5", ["#/limit"]],
    ["page=2", ["#/page"]],
  ]) {
    test(`?${query} is refused by name`, async () => {
      const response = await workers.fetch(`/thumbnails?${query}`);
      assert.equal(response.status, 400);
      const { type, errors } = await response.json();
      assert.ok(type.endsWith("/problems/invalid-option"));
      assert.deepEqual(errors.map(({ pointer }) => pointer), pointers);
    });
  }

  test("an older state never takes the place of a newer one", async () => {
    const id = await upload();
    await sql("UPDATE jobs_v1 SET revision = 99, state = 'failed' WHERE id = ?1", id);
    await workers.fetch(`/thumbnails/${id}`, { method: "DELETE" });
    // Rows are written one after the other here: when a later job has its own, this one's was tried.
    await upload();
    assert.deepEqual(await row(id), { state: "failed", revision: 99 });
  });

  test("a row that missed something is renewed by the sweep, a row of no job removed", async () => {
    const id = await upload();
    const { revision } = await row(id);
    const unknown = newId();
    const copy = "INSERT INTO jobs_v1 SELECT ?1, owner, state, revision, 0, record FROM jobs_v1 WHERE id = ?2";
    await sql(copy, unknown, id);
    await sql("UPDATE jobs_v1 SET revision = 1, state = 'processing', check_at = 0 WHERE id = ?1", id);
    assert.equal((await workers.sweep()).outcome, "ok");
    assert.deepEqual(await row(id), { state: "done", revision });
    assert.equal(await row(unknown), undefined);
    const [{ check_at: checkAt }] = await sql("SELECT check_at FROM jobs_v1 WHERE id = ?1", id);
    const days = (checkAt - Date.now()) / (24 * 60 * MINUTE_MS);
    assert.ok(days > 6.9 && days < 7.1, String(days));
  });

  test("an index that was lost is filled again", async () => {
    // A job can be begun for 15 minutes, and is missed after 15 minutes: this one is so old in a moment.
    const id = await createAged(14.95);
    await sql("DROP TABLE jobs_v1");
    assert.deepEqual((await list()).jobs, []);
    await eventually("its row", async () => {
      assert.equal((await workers.sweep()).outcome, "ok");
      return (await list()).jobs.length > 0;
    });
    assert.deepEqual((await list()).jobs, [await service.status({ id })]);
  });

  test("an index that fails is in nobody's way", async () => {
    await sql("DROP TABLE jobs_v1");
    await sql("CREATE TABLE jobs_v1 (other TEXT)");
    const job = await service.upload(examplePng(20, 20));
    await service.bytes(job);
    const response = await workers.fetch("/thumbnails");
    assert.equal(response.status, 503);
    assert.ok(Number(response.headers.get("retry-after")) > 0);
    assert.equal((await workers.sweep()).outcome, "ok");
    await sql("DROP TABLE jobs_v1");
    assert.ok(await upload());
  });

  test("a row that the first version stored is still listed", async () => {
    const id = "01997c1e-0000-7aaa-8aaa-aaaaaaaaaaaa";
    const record =
      `{"v":1,"id":"${id}","owner":"anonymous","state":"pending","revision":1,"attempts":0,"lost_attempts":0,"faults":0,` +
      `"sends":1,"created_at":1757700000000,"updated_at":1757700000000,"source":{"format":"png","bytes":70,"sha256":"00"},` +
      `"variants":[{"name":"default"}]}`;
    await sql("INSERT INTO jobs_v1 VALUES (?1, 'anonymous', 'pending', 1, 9e15, ?2)", id, record);
    const { jobs } = await list("/thumbnails?status=pending");
    assert.deepEqual([jobs.length, jobs[0].id, jobs[0].status], [1, id, "pending"]);
  });

  for (const [name, plan] of [
    ["PAGE", /^SEARCH jobs_v1 USING INDEX jobs_v1_by_owner [^,]*$/],
    ["PAGE_OF_STATE", /^SEARCH jobs_v1 USING INDEX jobs_v1_by_state [^,]*$/],
    ["DUE", /^SEARCH jobs_v1 USING COVERING INDEX jobs_v1_by_check [^,]*$/],
    ["MISSING", /SEARCH jobs_v1 USING PRIMARY KEY/],
  ]) {
    test(`${name} finds its rows by an index, in their order`, async () => {
      const text = statement(name);
      const values = new Set(text.match(/\?\d/g)).size;
      const steps = await sql(`EXPLAIN QUERY PLAN ${text}`, ...Array(values).fill(1));
      assert.match(steps.map(({ detail }) => detail).join(), plan);
    });
  }
});
