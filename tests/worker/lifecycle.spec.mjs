//! The rules that `npm run deploy` sets on the bucket: wrangler itself runs, against an API of our own.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { after, before, test } from "node:test";
import { lifecycle } from "../../src/tools/lifecycle.mjs";
import { wrangler } from "../../src/tools/paths.mjs";
import { capture } from "../../src/tools/run.mjs";

const PATH = "/accounts/an-account/r2/buckets/a-bucket/lifecycle";
const DAY_SECS = 86_400;

/** What the bucket has: a rule of somebody else to begin with. */
let rules = [{ id: "theirs", enabled: true, conditions: {} }];
let others = [];

const api = createServer(async (request, response) => {
  if (request.url !== PATH) others.push(request.url);
  const chunks = await request.toArray();
  if (request.method === "PUT") ({ rules } = JSON.parse(Buffer.concat(chunks)));
  response.setHeader("content-type", "application/json");
  response.end(JSON.stringify({ success: true, errors: [], messages: [], result: { rules } }));
});

before(async () => {
  await once(api.listen(0, "127.0.0.1"), "listening");
  process.env.CLOUDFLARE_API_BASE_URL = `http://127.0.0.1:${api.address().port}`;
  process.env.CLOUDFLARE_API_TOKEN = "a-token";
  process.env.CLOUDFLARE_ACCOUNT_ID = "an-account";
});
after(() => api.close());

/** Runs the commands as a deployment does. */
async function set(config) {
  for (const { remove, add } of lifecycle("a-bucket", config)) {
    await capture(...wrangler(...remove));
    const { code, output } = await capture(...wrangler(...add));
    assert.equal(code, 0, output);
  }
}

test("a deployment sets the rules, again and again, and leaves others alone", async () => {
  await set("");
  const first = structuredClone(rules);
  const age = (days) => ({ condition: { maxAge: days * DAY_SECS, type: "Age" } });
  const longest = age(365 + 14 + 7);
  assert.deepEqual(first, [
    { id: "theirs", enabled: true, conditions: {} },
    {
      id: "edge-thumbnails-sources",
      enabled: true,
      conditions: { prefix: "source/" },
      deleteObjectsTransition: longest,
      abortMultipartUploadsTransition: age(1),
    },
    { id: "edge-thumbnails-thumbnails", enabled: true, conditions: { prefix: "thumbnail/" }, deleteObjectsTransition: longest },
  ]);
  await set('MAX_EXPIRES_SECS = "86400"\n# a comment\nTOMBSTONE_SECS = "60"');
  const days = rules.map((rule) => rule.deleteObjectsTransition?.condition.maxAge / DAY_SECS);
  assert.deepEqual(days, [NaN, 9, 9]);
  assert.deepEqual(others, []);
});
