//! `npm test`: set-up and all stages; the last line says how it went.

import { program, seconds } from "./run.mjs";
import { setup } from "./setup.mjs";
import { stages } from "./stages.mjs";

async function test() {
  const times = { "set-up": 0, build: 0, tests: 0 };
  let started = Date.now();
  await setup();
  times["set-up"] = Date.now() - started;
  const total = { passed: 0, failed: 0 };
  const failedStages = [];
  for (const stage of stages) {
    started = Date.now();
    const { passed, failed } = await run(stage, failedStages);
    times[stage.times ?? "tests"] += Date.now() - started;
    total.passed += passed;
    total.failed += failed;
    if (failed > 0) failedStages.push(stage.name);
    console.log(`== ${stage.name}: ${passed} passed, ${failed} failed in ${seconds(started)}`);
  }
  if (failedStages.length > 0) console.log(`\nfailed: ${failedStages.join(", ")}`);
  console.log(`\n${Object.entries(times).map(([name, ms]) => `${name} ${(ms / 1000).toFixed(1)} s`).join(", ")}`);
  console.log(`${total.passed} passed, ${total.failed} failed`);
  return total.failed === 0 ? 0 : 1;
}

async function run({ name, run, needs }, failedStages) {
  console.log(`\n== ${name}`);
  if (failedStages.includes(needs)) {
    console.error(`left out, because ${needs} failed`);
    return { passed: 0, failed: 1 };
  }
  try {
    return await run();
  } catch (error) {
    console.error(error.message);
    return { passed: 0, failed: 1 };
  }
}

await program(test);
