//! `npm run send-image -- FILE [--url URL]`: uploads a picture, waits for its thumbnail and saves it beside the file.
//! Exit codes: 0 saved, 1 the service refused or failed, 2 wrong arguments or no service.

import { readFileSync, writeFileSync } from "node:fs";
import { basename, extname, join, dirname } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { examplePng } from "./example.mjs";

const GIVE_UP_AFTER_MS = 120_000;

async function sendImage() {
  const { values, positionals } = parseArgs({ allowPositionals: true, options: { url: { type: "string" } } });
  const service = values.url ?? `http://127.0.0.1:${process.env.PORT ?? 8787}`;
  // npm runs this in the project's folder; a name is meant from where npm was called.
  const from = process.env.INIT_CWD ?? process.cwd();
  const file = join(from, positionals[0] ?? "example.png");
  const bytes = positionals[0] ? readFileSync(file) : examplePng();
  if (!positionals[0]) writeFileSync(file, bytes);
  console.log(`sending ${file} (${bytes.length} bytes) to ${service}`);
  const address = await upload(service, basename(file), bytes);
  if (!address) return 1;
  const thumbnail = await poll(address);
  if (!thumbnail) return 1;
  const target = join(dirname(file), `${basename(file, extname(file))}-thumbnail${extname(new URL(address).pathname)}`);
  writeFileSync(target, thumbnail);
  console.log(`saved ${target} (${thumbnail.length} bytes)`);
  return 0;
}

async function upload(service, name, bytes) {
  const form = new FormData();
  form.append("image", new Blob([bytes]), name);
  const response = await fetch(new URL("/thumbnails", service), { method: "POST", body: form });
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
    console.log(`not there yet: ${answer.trim()}`);
    await sleep(Math.max(seconds, 0.1) * 1000);
  }
  console.error(`gave up after ${GIVE_UP_AFTER_MS / 1000} s`);
  return undefined;
}

function refused(response, answer) {
  console.error(`the service answered ${response.status}: ${answer.trim()}`);
  return undefined;
}

try {
  process.exitCode = await sendImage();
} catch (error) {
  console.error(`error: ${error.cause?.code === "ECONNREFUSED" ? "nothing answers there; is `npm start` running?" : error.message}`);
  process.exitCode = 2;
}
