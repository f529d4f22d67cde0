//! Senders of a burst: HTTP/1.1 with keep-alive, one connection each, as forms or as the image itself.

import { Agent, request } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { randomBytes } from "node:crypto";
import { examplePng } from "../../src/tools/example.mjs";

const ANSWER_WITHIN_MS = 90_000;
const BOUNDARY = "b0undary";
const PIECE_BYTES = 64 * 1024;

/** Returns an image of so many bytes that is quickly decoded: most of them follow its end. */
export function pictureOf(bytes) {
  const png = examplePng(64, 48);
  return Buffer.concat([png, randomBytes(Math.max(0, bytes - png.length))]);
}

/** The ways to send an image: `{ type, body }`. */
export const WAYS = {
  form(picture) {
    const head = `--${BOUNDARY}\r\nContent-Disposition: form-data; name="image"; filename="a.png"\r\nContent-Type: image/png\r\n\r\n`;
    return { type: `multipart/form-data; boundary=${BOUNDARY}`, body: Buffer.concat([Buffer.from(head), picture, Buffer.from(`\r\n--${BOUNDARY}--\r\n`)]) };
  },
  raw: (picture) => ({ type: "image/png", body: picture }),
};

/** Returns clients of a service; each upload of `count` at once has a connection of its own, which is used again. */
export function senders(url) {
  let agent = new Agent({ keepAlive: true });
  return {
    close: () => agent.destroy(),

    /**
     * Connects anew. A server may close a connection that was idle for some seconds just when it is used again
     * (RFC 9112, section 9.3.1): that says nothing of a crowd.
     */
    renew() {
      agent.destroy();
      agent = new Agent({ keepAlive: true });
    },

    /** Uploads once: `{ status, retryAfter, problem, millis }`; `status` is 0 where no answer came, and `fault` says why. */
    upload: (upload, how) => once(url, agent, upload, how),

    /** Uploads until it is taken, as a client does that keeps to `Retry-After`; returns all answers. */
    async untilTaken(upload, deadline) {
      const answers = [];
      for (;;) {
        const answer = await once(url, agent, upload);
        answers.push(answer);
        if (!isBusy(answer) || Date.now() > deadline) return answers;
        await sleep(answer.retryAfter * 1_000);
      }
    },
  };
}

/** Whether an answer is the problem that says when to come again. */
export const isBusy = ({ status, retryAfter, problem }) => status === 503 && retryAfter > 0 && problem === "unavailable";

async function once(url, agent, { type, body }, { stall, headers: more = {} } = {}) {
  const started = Date.now();
  const headers = { "content-type": type, "content-length": body.length, ...more };
  const sent = request(new URL("/thumbnails", url), { method: "POST", agent, headers, timeout: ANSWER_WITHIN_MS });
  const answer = new Promise((resolve, reject) => {
    sent.on("response", (response) => read(response).then(resolve, reject)).on("error", reject);
    sent.on("timeout", () => sent.destroy(new Error("no answer came")));
  });
  // Told by what is awaited below.
  answer.catch(() => {});
  if (stall) await stalling(sent, body, stall, answer);
  else sent.end(body);
  const told = await answer.catch((fault) => ({ status: 0, fault: String(fault) }));
  return { ...told, millis: Date.now() - started };
}

/** Sends the first bytes, and the rest when `stall.over` is, unless the answer comes before. */
async function stalling(sent, body, stall, answer) {
  for (let at = 0; at < stall.after; at += PIECE_BYTES) {
    if (!sent.write(body.subarray(at, Math.min(at + PIECE_BYTES, stall.after)))) await Promise.race([drained(sent), stall.over, settled(answer)]);
  }
  const first = await Promise.race([stall.over.then(() => "over"), settled(answer)]);
  if (first === "over") sent.end(body.subarray(stall.after));
  else sent.destroy();
}

const drained = (sent) => new Promise((resolve) => sent.once("drain", resolve));
const settled = (answer) => answer.then(() => "answered", () => "answered");

async function read(response) {
  const chunks = [];
  for await (const chunk of response) chunks.push(chunk);
  const text = Buffer.concat(chunks).toString();
  const isProblem = response.headers["content-type"] === "application/problem+json";
  const problem = isProblem ? JSON.parse(text).type.split("/").pop() : undefined;
  const retryAfter = Number(response.headers["retry-after"] ?? 0);
  return { status: response.statusCode, retryAfter, problem, text };
}
