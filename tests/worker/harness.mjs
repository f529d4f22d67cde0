//! Both Workers as they ship, in one place, for the specs of this folder.
//!
//! Nothing is kept between two harnesses: R2, KV and Durable Objects live in memory here.
//! Specs about a restart use `src/tools/dev.mjs`, which runs `wrangler dev` with a folder for its state.

import { after, before } from "node:test";
import { createTestHarness } from "wrangler";
import { devVarNames } from "../../src/tools/dev-vars.mjs";
import { root } from "../../src/tools/paths.mjs";

export const EDGE = "edge-thumbnails";
export const ORIGIN = "edge-thumbnails-origin";
export const RESIZE_QUEUE = "edge-thumbnails-resize";
export const DEAD_QUEUE = "edge-thumbnails-resize-dead";

/**
 * Starts both Workers before the specs of a file and stops them after the last.
 * `vars` and `secrets` replace those of the configs in both Workers; `configs` replaces the configs.
 */
export function harness({ vars = {}, secrets = {}, configs = ["wrangler.toml", "wrangler.origin.toml"] } = {}) {
  // What somebody has in .dev.vars is not for tests: an empty variable is not set.
  const unset = Object.fromEntries(devVarNames().filter((name) => !(name in secrets)).map((name) => [name, ""]));
  const worker = (configPath) => ({ configPath, vars: { ...unset, ...vars }, secrets });
  const server = createTestHarness({ root, workers: configs.map(worker) });
  before(() => server.listen());
  after(() => server.close());
  return {
    /** Sends a request to the edge; paths are relative to its address. */
    fetch: (path, init) => server.fetch(path, { redirect: "manual", ...init }),

    /** Returns the bindings of the edge (`IMAGES`, `STATUS`, `RESIZE_QUEUE`, `JOB`) or of another Worker. */
    env: (name = EDGE) => server.getWorker(name).getEnv(),

    /**
     * Hands messages to the origin's queue handler and returns what it did:
     * `{ outcome, ackAll, explicitAcks: [id], retryMessages: [{ msgId, delaySeconds }], retryBatch }`.
     * A message is a body (sent as the string it is) or `{ id, body, attempts, timestamp }`.
     */
    async deliver(messages, queue = RESIZE_QUEUE) {
      const origin = await server.getWorker(ORIGIN).getExport();
      return origin.queue(queue, messages.map(asMessage));
    },

    /** Fires the cron trigger of the edge; returns `{ outcome }`. */
    sweep: (scheduledTime = new Date()) =>
      server.getWorker(EDGE).scheduled({ cron: "*/5 * * * *", scheduledTime }),

    /** Returns the ids (64 hex digits) of the Job objects that have stored something. */
    jobIds: () => server.getWorker(EDGE).listDurableObjectIds("Job"),

    /** Takes the object of a job out of memory; its storage stays. What becomes of its sockets: `hibernate` or `close`. */
    evictJob: (name, webSockets) => server.getWorker(EDGE).evictDurableObject("Job", { name, webSockets }),

    /** Returns what the Workers logged, `[{ level, message, timestamp }]`. */
    logs: () => server.getLogs(),

    /** Forgets all that is stored and starts both Workers anew; takes about a second. */
    reset: () => server.reset(),

    /** The test harness itself, for what this does not cover. */
    server,
  };
}

function asMessage(message, index) {
  const given = typeof message === "object" ? message : { body: message };
  return { id: `message-${index}`, timestamp: new Date(), attempts: 1, ...given };
}
