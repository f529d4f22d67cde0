//! `npm start`: set-up, build, and both Workers on this machine.

import { build } from "./build.mjs";
import { claimPort, portFrom, startDev } from "./dev.mjs";
import { DEV_VARS, ensureDevVars } from "./dev-vars.mjs";
import { claimFolder } from "./one-start.mjs";
import { program, seconds } from "./run.mjs";
import { writeRunVars } from "./run-vars.mjs";
import { setup } from "./setup.mjs";

const CRON_EVERY_MS = 5 * 60_000;
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"];

async function start() {
  const started = Date.now();
  const port = portFrom(process.env.PORT);
  claimFolder(port);
  await claimPort(port);
  await setup();
  await build();
  ensureDevVars();
  const envFiles = [DEV_VARS, writeRunVars()];
  const stopRequested = requestedToStop();
  const starting = startDev({ port, envFiles });
  const early = await Promise.race([stopRequested.then(() => "stop"), starting]);
  if (early === "stop") return (await starting).stop();
  const dev = await starting;
  console.log(`ready on ${dev.url} (after ${seconds(started)}; stop with Ctrl-C)`);
  // `wrangler dev` never fires cron triggers by itself.
  const cron = setInterval(() => sweep(dev.url), CRON_EVERY_MS);
  console.log("the cron trigger fires every 5 minutes while this runs; what is stored stays in .wrangler/state, what is configured here stands in .dev.vars");
  const ended = await Promise.race([stopRequested.then(() => "stop"), dev.exited]);
  clearInterval(cron);
  await dev.stop();
  return ended === "stop" ? 0 : 1;
}

/** Resolves at the first signal, or when npm, which started this, was killed and could pass none on. */
function requestedToStop() {
  const parent = process.ppid;
  return new Promise((resolve) => {
    SIGNALS.forEach((signal) => process.on(signal, resolve));
    if (process.env.npm_lifecycle_event) setInterval(() => process.ppid !== parent && resolve(), 1_000).unref();
  });
}

async function sweep(url) {
  const cron = encodeURIComponent("*/5 * * * *");
  const response = await fetch(`${url}/cdn-cgi/local/scheduled?cron=${cron}`).catch((error) => error);
  if (!response.ok) console.error(`the cron trigger failed: ${response.status ?? response.message}`);
}

await program(start);
