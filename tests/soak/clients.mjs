//! The clients of a run: some upload, some call their uploads off, and one looks what became of them.

import { setTimeout as sleep } from "node:timers/promises";
import { observe, observeDelete } from "./books.mjs";

const UPLOADERS = 8;
const READERS = 6;
const PAUSE_MS = 100;

/** Uploads everything, never more than `allowed()` in all; a body without a 202 is sent again. */
export async function uploadAll({ service, books, uploads, allowed, patience }) {
  let next = 0;
  const one = async () => {
    while (next < uploads.length && !patience.isOver()) {
      if (next >= allowed()) await sleep(PAUSE_MS);
      else await upload(service, books, uploads[next++], patience);
    }
  };
  await Promise.all(Array.from({ length: UPLOADERS }, one));
}

async function upload(service, books, picture, patience) {
  const headers = { "content-type": "application/octet-stream" };
  const answer = await service.request("/thumbnails", { method: "POST", headers, body: picture.bytes }, patience);
  if (answer.status !== 202) throw new Error(`an upload of ${picture.kind} was answered with ${answer.status}: ${answer.body}`);
  patience.renew();
  const job = books.accepted(picture, JSON.parse(answer.body));
  if (!picture.cancelled) return;
  job.deleting = true;
  observeDelete(job, await service.request(`/thumbnails/${job.id}`, { method: "DELETE" }, patience));
}

/** Looks once at each of `jobs`. */
export async function lookAt(service, jobs, patience, onEnd = () => {}) {
  const waiting = [...jobs];
  const one = async () => {
    for (let job = waiting.shift(); job; job = waiting.shift()) {
      const before = job.end;
      // A look that began before the deletion was answered may still see the thumbnail.
      const answer = await service.request(job.path, {}, patience);
      if (before === "open" && job.end === "cancelled") continue;
      if (observe(job, answer) && before === "open") {
        patience.renew();
        onEnd(job);
      }
    }
  };
  await Promise.all(Array.from({ length: READERS }, one));
}
