//! A headless Chromium, as the machine has it.

import { existsSync } from "node:fs";

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

/** Starts Chromium. */
export async function launch() {
  const executablePath = chromiumPath();
  if (!executablePath) throw new Error("there is no Chromium; set CHROMIUM to its path, or apt-get install chromium");
  // Not before npm has installed it: the stages of `npm test` import this file.
  const { chromium } = await import("playwright-core");
  return chromium.launch({ executablePath, args: ARGS, headless: true });
}
