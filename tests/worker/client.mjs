//! A client of the service for the specs: uploads as browsers and curl send them, and polls with a deadline.

import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";

const DEADLINE_MS = 30_000;
const PAUSE_MS = 50;

/** Returns the options of a fetch that sends files as a form; a value that is no `{ bytes, filename }` is plain text. */
export async function form(fields) {
  const data = new FormData();
  for (const [name, value] of Object.entries(fields)) {
    if (value.bytes) data.append(name, new Blob([value.bytes]), value.filename);
    else data.append(name, value);
  }
  // Encoded here: what sends it may not know this kind of object.
  const encoded = new Response(data);
  const headers = { "content-type": encoded.headers.get("content-type") };
  return { method: "POST", headers, body: Buffer.from(await encoded.arrayBuffer()) };
}

/** Returns the options of a fetch that sends a file as the body itself. */
export const raw = (bytes, mediaType) => ({ method: "POST", headers: { "content-type": mediaType }, body: bytes });

/** A client of `workers`, which has a `fetch` with paths relative to the service. */
export function client(workers) {
  const self = {
    /** Uploads a file and returns the document of its job. */
    async upload(bytes, filename = "picture") {
      const response = await workers.fetch("/thumbnails", await form({ image: { bytes, filename } }));
      assert.equal(response.status, 202, await response.clone().text());
      return response.json();
    },

    /** Returns the status document of a job. */
    async status({ id }) {
      const response = await workers.fetch(`/thumbnails/${id}`);
      assert.equal(response.status, 200);
      return response.json();
    },

    /** Waits until a job has ended and returns its status document. */
    ended: (job) =>
      eventually(`the end of job ${job.id}`, async () => {
        const document = await self.status(job);
        return ["done", "failed"].includes(document.status) && document;
      }),

    /** Asks for a job's thumbnail, whatever the answer is. */
    thumbnail: (job, init) => workers.fetch(new URL(job.resized_image_url).pathname, init),

    /** Waits until a job is done and returns the bytes of its thumbnail. */
    async bytes(job) {
      const document = await self.ended(job);
      assert.equal(document.status, "done", JSON.stringify(document.problem));
      const response = await self.thumbnail(job);
      assert.equal(response.status, 200);
      return Buffer.from(await response.arrayBuffer());
    },
  };
  return self;
}

/** Repeats `attempt` until it returns something true, and returns that. */
export async function eventually(what, attempt, deadlineMs = DEADLINE_MS) {
  const deadline = Date.now() + deadlineMs;
  while (Date.now() < deadline) {
    const result = await attempt();
    if (result) return result;
    await sleep(PAUSE_MS);
  }
  throw new Error(`waited ${deadlineMs / 1000} s for ${what}`);
}
