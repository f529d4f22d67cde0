//! The replaced service's contract, checked by a client as its users have it: Python with `requests`.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { inRoot } from "../../src/tools/paths.mjs";
import { PYTHON, pythonEnvironment } from "../../src/tools/python.mjs";
import { capture } from "../../src/tools/run.mjs";
import { server } from "./server.mjs";

const SCRIPT = inRoot("tests", "contract", "old_client.py");
const checks = /^CHECKS = \[([^\]]*)\]/m.exec(readFileSync(SCRIPT, "utf8"))[1].match(/\w+/g);

const workers = server();

for (const check of checks) {
  test(check.replaceAll("_", " "), async () => {
    const { code, output } = await capture(PYTHON, [SCRIPT, workers.url("/"), check], { env: pythonEnvironment() });
    assert.equal(code, 0, output);
    assert.equal(output.trim(), check);
  });
}
