//! `npm start`: set-up, build, and both Workers on this machine.

import { build } from "./build.mjs";
import { claimPort, startDev } from "./dev.mjs";
import { program, seconds } from "./run.mjs";
import { ensureSecrets } from "./secrets.mjs";
import { setup } from "./setup.mjs";

const CRON_EVERY_MS = 5 * 60_000;
const LOCAL_VARS = {
  LISTING: "1",
  VARIANTS_LATER: "any",
  // Receivers of webhooks may be on this machine.
  ALLOW_INSECURE_WEBHOOKS: "1",
  // Ctrl-C ends attempts halfway, and their jobs wait for the lease to end after the restart. No picture takes longer
  // than MAX_WORK_MS.
  LEASE_SECS: "30",
};
const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"];

async function start() {
  const started = Date.now();
  const port = Number(process.env.PORT ?? 8787);
  await claimPort(port);
  await setup();
  await build();
  ensureSecrets();
  const stopRequested = requestedToStop();
  const starting = startDev({ port, vars: LOCAL_VARS });
  const early = await Promise.race([stopRequested.then(() => "stop"), starting]);
  if (early === "stop") return (await starting).stop();
  const dev = await starting;
  console.log(`ready on ${dev.url} (after ${seconds(started)}; stop with Ctrl-C)`);
  // `wrangler dev` never fires cron triggers by itself.
  const cron = setInterval(() => sweep(dev.url), CRON_EVERY_MS);
  console.log("the cron trigger fires every 5 minutes while this runs; what is stored stays in .wrangler/state");
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
