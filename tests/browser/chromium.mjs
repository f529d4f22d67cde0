//! A headless Chromium, as the machine has it.

import { existsSync } from "node:fs";
import { Fault, capture, step } from "../../src/tools/run.mjs";

const PLACES = [process.env.CHROMIUM, "/usr/bin/chromium", "/usr/bin/google-chrome"];

// Nothing but the service is to be asked for anything.
const ARGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

/** Returns the path of Chromium, or undefined where there is none. */
export const chromiumPath = () => PLACES.find((place) => place && existsSync(place));

const ADVICE = "Install it (Debian: `apt install chromium`), or name one in the variable CHROMIUM, then run the command again.";

/** Installs Chromium unless it is there: as root where there is apt-get; elsewhere it says what to do. */
export async function ensureChromium() {
  if (chromiumPath()) return;
  const canInstall = process.getuid?.() === 0 && (await capture("apt-get", ["--version"])).code === 0;
  if (!canInstall) throw new Fault(`Chromium is missing; the browser tests use it. ${ADVICE}`);
  const options = { env: { DEBIAN_FRONTEND: "noninteractive" }, advice: () => ADVICE };
  await step("apt-get update", "apt-get", ["update"], options);
  await step("apt-get install chromium", "apt-get", ["install", "--yes", "--no-install-recommends", "chromium"], options);
  if (!chromiumPath()) throw new Fault(`apt-get installed no Chromium. ${ADVICE}`);
}

/** Starts Chromium. */
export async function launch() {
  const executablePath = chromiumPath();
  if (!executablePath) throw new Fault(`Chromium is missing. ${ADVICE}`);
  // Not before npm has installed it: the stages of `npm test` import this file.
  const { chromium } = await import("playwright-core");
  return chromium.launch({ executablePath, args: ARGS, headless: true });
}
