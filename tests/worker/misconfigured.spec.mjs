//! A service that is set up wrongly says which variable is wrong: in its log, not to its clients.

import assert from "node:assert/strict";
import { test } from "node:test";
import { examplePng } from "../../src/tools/example.mjs";
import { raw } from "./client.mjs";
import { harness } from "./harness.mjs";

const workers = harness({ vars: { PRESETS: '{"avatar": {"size": "0x48"}}' } });

test("an upload is answered 500, and the log names the variable", async () => {
  const response = await workers.fetch("/thumbnails", raw(examplePng(9, 9), "image/png"));
  assert.equal(response.status, 500);
  assert.ok(!(await response.text()).includes("PRESETS"));
  const alerts = workers.logs().filter(({ message }) => message.includes("misconfigured"));
  assert.match(alerts[0].message, /PRESETS has a wrong preset \\"avatar\\": size must be/);
});
