//! The service of a run: `wrangler dev` that is killed and started again over the same state.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { freePort, startDev } from "../../src/tools/dev.mjs";
import { records } from "../../src/tools/stored.mjs";

const ANSWER_WITHIN_MS = 60_000;
const START_ATTEMPTS = 3;
const PAUSE_MS = 200;
const KEPT_OUTPUT = 64 * 1024;

/** Returns the service, not yet started. */
export function mortal(vars) {
  const state = mkdtempSync(join(tmpdir(), "edge-thumbnails-soak-"));
  let dev;
  let output = "";
  let ended = false;
  const start = async () => {
    const onOutput = (text) => (output = (output + text).slice(-KEPT_OUTPUT));
    for (let left = START_ATTEMPTS; !dev; left--) {
      try {
        dev = await startDev({ port: await freePort(), state, vars, onOutput });
      } catch (error) {
        if (left <= 1) throw error;
      }
    }
  };
  const kill = async () => {
    const victim = dev;
    dev = undefined;
    victim?.kill();
    await victim?.exited;
  };
  return {
    start,
    /** Kills all of its processes at once; requests fail until it is started again. */
    kill,

    /** Kills it for good and removes what it stored. */
    async end() {
      ended = true;
      await kill();
      rmSync(state, { recursive: true, force: true, maxRetries: 5 });
    },

    /** Sends a request until it is answered or the patience is over, as a client does whose connection broke. */
    async request(path, init, patience) {
      for (;;) {
        const answer = await once(dev, path, init);
        if (answer && answer.status < 500) return answer;
        if (ended || patience.isOver()) return answer ?? { status: 0 };
        await sleep(PAUSE_MS);
      }
    },

    /** The records of all jobs. Only while it is stopped. */
    records: () => records(state),

    /** What `wrangler dev` printed last. */
    output: () => output,
  };
}

async function once(dev, path, init) {
  if (!dev) return undefined;
  try {
    const options = { redirect: "manual", signal: AbortSignal.timeout(ANSWER_WITHIN_MS), ...init };
    const response = await fetch(new URL(path, dev.url), options);
    const body = Buffer.from(await response.arrayBuffer());
    return { status: response.status, etag: response.headers.get("etag"), body };
  } catch {
    return undefined;
  }
}
