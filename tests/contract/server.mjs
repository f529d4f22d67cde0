//! Both Workers in `wrangler dev`, over real HTTP, with a state of their own that survives a restart.

import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before } from "node:test";
import { freePort, startDev } from "../../src/tools/dev.mjs";

/**
 * Starts a server before the tests of a file and stops it after the last; `vars` replace those of wrangler.toml.
 * With `samePort` a restart keeps its address, for clients that know only that.
 */
export function server({ vars = {}, samePort = false } = {}) {
  const state = mkdtempSync(join(tmpdir(), "edge-thumbnails-"));
  let output = "";
  let dev;
  let port;
  const start = async () => {
    if (!port || !samePort) port = await freePort();
    dev = await startDev({ port, state, vars, onOutput: (text) => (output += text) });
  };
  // A test runner that gives up on this file, or Ctrl-C, must not leave the processes behind.
  for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"]) {
    process.once(signal, () => {
      dev?.kill();
      process.exit(1);
    });
  }
  const again = async (end, look = () => undefined) => {
    await end();
    await dev.exited;
    const found = look(state);
    await start();
    return found;
  };
  before(() => start().catch((error) => Promise.reject(new Error(`${error.message}\n${output}`))));
  after(async () => {
    await dev?.stop();
    rmSync(state, { recursive: true, force: true });
  });
  return {
    /** Returns the absolute URL of a path. */
    url: (path) => new URL(path, dev.url).href,

    /** Sends a request and follows no redirects. */
    fetch: (path, init) => fetch(new URL(path, dev.url), { redirect: "manual", ...init }),

    /** Fires the cron trigger, as if it were due at `time`. */
    sweep: (time = Date.now()) =>
      fetch(new URL(`/cdn-cgi/local/scheduled?cron=${encodeURIComponent("*/5 * * * *")}&time=${time}`, dev.url)),

    /** Gives `look` a copy of the folder with all that is stored while everything runs: undefined where that cannot be read just now. */
    stored(look) {
      const copy = mkdtempSync(join(tmpdir(), "edge-thumbnails-copy-"));
      try {
        cpSync(state, copy, { recursive: true });
        return look(copy);
      } catch {
        // A file was written while it was copied.
        return undefined;
      } finally {
        rmSync(copy, { recursive: true, force: true });
      }
    },

    /** Stops everything and starts it again: what was stored stays, queued messages are lost. The port changes unless it is to stay. */
    restart: () => again(() => dev.stop()),

    /** As `restart`; meanwhile `look` has the folder with all that is stored. */
    whileStopped: (look) => again(() => dev.stop(), look),

    /** As `whileStopped`, but everything is killed at once, as in a power cut. */
    crash: (look) => again(() => dev.kill(), look),

    /** Returns what `wrangler dev` printed so far, the Workers' logs among it. */
    output: () => output,
  };
}
