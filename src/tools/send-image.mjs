//! `npm run send-image -- [FILE…] [--url URL]`: uploads pictures, waits for their thumbnails and saves them beside the files.
//! Exit codes: 0 all saved, 1 the service refused or failed one, 2 wrong arguments, no file or no service.

import { readFileSync, writeFileSync } from "node:fs";
import { basename, dirname, extname, join, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { examplePng } from "./example.mjs";

const GIVE_UP_AFTER_MS = 120_000;
const EXAMPLE = "example.png";
const HELP = `npm run send-image -- [FILE…] [--url URL]

Uploads each FILE, waits for its thumbnail and saves it beside the file, as NAME-thumbnail.EXT.
Without a FILE it makes ${EXAMPLE} and sends that.

  --url URL   where the service is; a path in it counts (default: http://127.0.0.1:8787, or the port in PORT)
  --help      this text`;

async function sendImages() {
  const options = { url: { type: "string" }, help: { type: "boolean", short: "h" } };
  const { values, positionals } = parseArgs({ allowPositionals: true, options });
  if (values.help) return console.log(HELP);
  const service = base(values.url ?? `http://127.0.0.1:${process.env.PORT ?? 8787}`);
  // npm runs this in the project's folder; a name is meant from where npm was called.
  const here = process.env.INIT_CWD ?? process.cwd();
  const files = positionals.map((name) => resolve(here, name));
  if (files.length === 0) {
    files.push(resolve(here, EXAMPLE));
    writeFileSync(files[0], examplePng());
  }
  let failed = false;
  for (const file of files) failed = !(await sendImage(service, file)) || failed;
  return failed ? 1 : 0;
}

/** Returns the service's address with a slash behind its path, so that a path below it can be added. */
function base(text) {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !["http:", "https:"].includes(url.protocol)) {
    throw new Error(`${text} is no address; one looks like http://127.0.0.1:8787`);
  }
  url.pathname = url.pathname.replace(/\/*$/, "/");
  url.search = url.hash = "";
  return url;
}

/** Returns whether the thumbnail of a file is saved. */
async function sendImage(service, file) {
  const bytes = readFileSync(file);
  console.log(`sending ${file} (${bytes.length} bytes) to ${service}`);
  const address = await upload(service, basename(file), bytes);
  const thumbnail = address && (await poll(address));
  if (!thumbnail) return false;
  const target = join(dirname(file), `${basename(file, extname(file))}-thumbnail${extname(new URL(address).pathname)}`);
  writeFileSync(target, thumbnail);
  console.log(`saved ${target} (${thumbnail.length} bytes)`);
  return true;
}

async function upload(service, name, bytes) {
  const form = new FormData();
  form.append("image", new Blob([bytes]), name);
  const response = await fetch(new URL("thumbnails", service), { method: "POST", body: form });
  const answer = await response.text();
  if (response.status !== 202) return refused(response, answer);
  const address = JSON.parse(answer).resized_image_url;
  console.log(`accepted: ${address}`);
  return address;
}

/** Asks for the thumbnail until it is there, as often as the service wants. */
async function poll(address) {
  const deadline = Date.now() + GIVE_UP_AFTER_MS;
  while (Date.now() < deadline) {
    const response = await fetch(address);
    if (response.ok) return Buffer.from(await response.arrayBuffer());
    const answer = await response.text();
    if (response.status !== 409) return refused(response, answer);
    const seconds = Number(response.headers.get("retry-after") ?? 1);
    console.log("not there yet");
    await sleep(Math.max(seconds, 0.1) * 1000);
  }
  console.error(`gave up after ${GIVE_UP_AFTER_MS / 1000} s`);
  return undefined;
}

function refused(response, answer) {
  const problem = response.headers.get("content-type")?.startsWith("application/problem+json");
  console.error(`the service answered ${response.status}: ${problem ? JSON.parse(answer).detail : answer.trim()}`);
  return undefined;
}

/** Says what went wrong in a sentence. */
function explained(error) {
  if (error.cause?.code === "ECONNREFUSED") return "nothing answers there; is `npm start` running?";
  if (error.code === "ENOENT") return `there is no file ${error.path}`;
  if (error.code === "EISDIR") return "that is a folder; name the images in it";
  return error.cause?.message ?? error.message;
}

try {
  process.exitCode = await sendImages();
} catch (error) {
  console.error(`error: ${explained(error)}`);
  process.exitCode = 2;
}
