//! The description of the API holds: Schemathesis calls everything that is in it, rightly and wrongly, with all of its checks.
//!
//! `EXAMPLES=300 node_modules/.bin/node --test tests/contract/description.spec.mjs` looks longer.

import assert from "node:assert/strict";
import { test } from "node:test";
import { inRoot } from "../../src/tools/paths.mjs";
import { PYTHON, pythonEnvironment } from "../../src/tools/python.mjs";
import { capture } from "../../src/tools/run.mjs";
import { server } from "./server.mjs";

const EXAMPLES = process.env.EXAMPLES ?? "20";
const SEED = process.env.SEED ?? "20261124";
const COMMAND = "from schemathesis.cli import schemathesis; schemathesis()";

const workers = server({ vars: { LISTING: "1", VARIANTS_LATER: "any" } });

test("every answer is as the description says", async () => {
  const config = ["--config-file", inRoot("tests", "contract", "schemathesis.toml")];
  const args = ["run", workers.url("/openapi.json"), "--max-examples", EXAMPLES, "--seed", SEED, "--no-color"];
  const { code, output } = await capture(PYTHON, ["-c", COMMAND, ...config, ...args], {
    env: { ...pythonEnvironment(), SCHEMATHESIS_HOOKS: inRoot("tests", "contract", "schemathesis_hooks.py") },
  });
  assert.equal(code, 0, output);
  const [, cases] = /(\d+) generated/.exec(output) ?? [];
  console.log(`${cases} requests`);
  assert.ok(Number(cases) > 500, output);
});
