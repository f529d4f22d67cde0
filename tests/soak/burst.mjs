//! `npm run soak -- --burst [--short]`: more uploads at once than an instance has memory for, and senders that stall.
//! Every answer is a 202 or a 503 that says when to come again, and in the end everything is taken.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { build } from "../../src/tools/build.mjs";
import { freePort, startDev } from "../../src/tools/dev.mjs";
import { isBusy, pictureOf, senders, WAYS } from "./senders.mjs";

const MB = 1_000_000;
const MAX_WASM_BYTES = 64 * 1024 * 1024;
const TAKEN_WITHIN_MS = 60_000;
const TAKEN_AT_ONCE = 0.25;
const STALLED_AFTER = 5 * MB;
const STALLED_MS = 15_000;
const SMALL_BYTES = 5_000;
/** Of a burst of small uploads, half have their answer by then, as a share of when nearly all have. */
const MEDIAN_OF_P95 = 0.6;
const ORDER_TRIES = 3;

const FULL = { bursts: [[40, 4 * MB], [24, 8 * MB]], stalled: 24, small: 50, judgesOrder: true };
/** Times are no matter of tests. */
const SHORT = { bursts: [[16, 4 * MB]], stalled: 12, small: 50, judgesOrder: false };

/** Runs all bursts and returns the exit code. */
export async function burst({ short }) {
  await build();
  const sizes = short ? SHORT : FULL;
  const state = mkdtempSync(join(tmpdir(), "edge-thumbnails-burst-"));
  const run = new Run();
  let dev;
  const end = async () => {
    await dev?.stop();
    rmSync(state, { recursive: true, force: true, maxRetries: 5 });
  };
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.once(signal, () => end().finally(() => process.exit(1)));
  try {
    dev = await startDev({ port: await freePort(), state, onOutput: (text) => run.hear(text) });
    const clients = senders(dev.url);
    // While nothing else is on its way, in the origin neither.
    for (const [name, way] of Object.entries(WAYS)) await run.order(clients, name, way, sizes);
    for (const [name, way] of Object.entries(WAYS)) await run.all(clients, name, way, sizes);
    clients.close();
  } finally {
    await end();
  }
  return run.report();
}

class Run {
  output = "";
  peak = 0;
  faults = [];

  /** Reads from the log how much memory the edge's wasm has. */
  hear(text) {
    this.output = (this.output + text).slice(-100_000);
    for (const [, bytes] of text.matchAll(/"event":"request".*?"memory_bytes":(\d+)/g)) this.peak = Math.max(this.peak, Number(bytes));
  }

  fault(text) {
    this.faults.push(text);
    console.log(`  fault: ${text}`);
  }

  async all(clients, name, way, { bursts, stalled }) {
    for (const [count, bytes] of bursts) {
      clients.renew();
      await this.crowd(clients, name, way, count, bytes);
    }
    clients.renew();
    await this.stalls(clients, name, way, stalled);
  }

  /** Small ones at once: who comes first is answered first. Another program may be in the way of one burst, not of all. */
  async order(clients, name, way, { small: count, judgesOrder }) {
    const ratios = [];
    const most = judgesOrder ? ORDER_TRIES : 1;
    for (let tries = 0; tries < most && !(Math.min(...ratios) <= MEDIAN_OF_P95); tries++) {
      ratios.push(await this.ordered(clients, name, way(pictureOf(SMALL_BYTES)), count));
    }
    const best = Math.min(...ratios);
    if (judgesOrder && best > MEDIAN_OF_P95) this.fault(`${name}: half of ${count} small uploads took ${best.toFixed(2)} of what nearly all took`);
  }

  async ordered(clients, name, upload, count) {
    // The origin is still busy with the burst before.
    await clients.upload(upload, { headers: { prefer: "wait=60" } });
    const answers = await Promise.all(Array.from({ length: count }, () => clients.upload(upload)));
    const times = answers.map(({ millis }) => millis).sort((a, b) => a - b);
    const at = (share) => times[Math.ceil(times.length * share) - 1];
    const ratio = at(0.5) / at(0.95);
    console.log(`${name}: ${count} x ${SMALL_BYTES} bytes at once: p50 ${at(0.5)} ms, p95 ${at(0.95)} ms, ratio ${ratio.toFixed(2)}`);
    if (answers.some(({ status }) => status !== 202)) this.fault(`${name}: of ${count} small uploads, ${tally(answers)}`);
    return ratio;
  }

  /** Large ones at once, and small ones beside them. */
  async crowd(clients, name, way, count, bytes) {
    const what = `${name}: ${count} x ${bytes / MB} MB`;
    const started = Date.now();
    const upload = way(pictureOf(bytes));
    const large = Array.from({ length: count }, () => clients.untilTaken(upload, started + TAKEN_WITHIN_MS));
    const [answers] = await Promise.all([Promise.all(large), this.beside(clients, what, way)]);
    const first = answers.filter(([answer]) => answer.status === 202).length;
    const tries = answers.flat();
    const millis = Date.now() - started;
    console.log(`${what} at once: ${first} taken at the first try, all answers ${tally(tries)}, ${(millis / 1_000).toFixed(1)} s`);
    this.judge(what, tries);
    if (first < count * TAKEN_AT_ONCE) this.fault(`${what}: only ${first} were taken at once`);
    if (answers.some((all) => all.at(-1).status !== 202)) this.fault(`${what}: not all were taken within ${TAKEN_WITHIN_MS / 1_000} s`);
  }

  /** Senders that stop in the middle, and others beside them. */
  async stalls(clients, name, way, count) {
    const what = `${name}: ${count} that stall`;
    const large = way(pictureOf(10 * MB));
    const over = sleep(STALLED_MS);
    const stalled = Array.from({ length: count }, () => clients.upload(large, { stall: { after: STALLED_AFTER, over } }));
    await sleep(1_000);
    const deadline = Date.now() + TAKEN_WITHIN_MS;
    const honest = Array.from({ length: 4 }, () => clients.untilTaken(way(pictureOf(4 * MB)), deadline));
    const [answers, beside] = await Promise.all([Promise.all(stalled), Promise.all(honest), this.beside(clients, what, way)]);
    console.log(`${what} after ${STALLED_AFTER / MB} MB: ${tally(answers)}; beside them ${tally(beside.flat())}`);
    this.judge(what, [...answers, ...beside.flat()]);
    if (beside.some((all) => all.at(-1).status !== 202)) this.fault(`${what}: others were not taken within ${TAKEN_WITHIN_MS / 1_000} s`);
  }

  async beside(clients, what, way) {
    await sleep(300);
    const answers = await Promise.all(Array.from({ length: 10 }, () => clients.upload(way(pictureOf(SMALL_BYTES)))));
    const slowest = Math.max(...answers.map(({ millis }) => millis));
    console.log(`${what}: 10 small ones beside: ${tally(answers)}, the slowest ${slowest} ms`);
    if (answers.some(({ status }) => status !== 202)) this.fault(`${what}: of the small ones beside, ${tally(answers)}`);
  }

  judge(what, answers) {
    for (const answer of answers) {
      if (answer.status !== 202 && !isBusy(answer)) this.fault(`${what}: ${answer.status} ${answer.fault ?? answer.text}`);
    }
  }

  report() {
    console.log(`the edge's wasm had ${(this.peak / 1024 / 1024).toFixed(1)} MiB at most`);
    if (this.peak === 0 || this.peak > MAX_WASM_BYTES) this.fault(`the edge's wasm had ${this.peak} bytes`);
    if (this.faults.length > 0) console.log(`the end of wrangler's output:\n${this.output.slice(-4_000)}`);
    console.log(`${this.faults.length} faults`);
    return this.faults.length === 0 ? 0 : 1;
  }
}

/** How often which status was answered: `202 x 30, 503 x 10`. */
function tally(answers) {
  const counts = new Map();
  for (const { status } of answers) counts.set(status, (counts.get(status) ?? 0) + 1);
  return [...counts].map(([status, count]) => `${status} x ${count}`).join(", ");
}
