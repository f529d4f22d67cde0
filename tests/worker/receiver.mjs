//! A receiver of webhooks on this machine, which misbehaves as it is told to.

import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { after } from "node:test";
import { Webhook } from "standardwebhooks";

/** Secrets for tests: the present one, and the one before it. */
export const SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
export const PREVIOUS = "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX";

/** Answers with a status. */
export const status = (code, headers = {}) => (response) => response.writeHead(code, headers).end();

/**
 * Starts a receiver that treats its requests with `answers`, in this order, and with the last one from then on.
 * An answer is a function of the response. Returns `{ url, requests }`; a request is `{ headers, body, at }`,
 * and gets `closedAt` when its connection has ended.
 */
export async function receiver(...answers) {
  const requests = [];
  const server = createServer(async (incoming, response) => {
    const chunks = [];
    for await (const chunk of incoming) chunks.push(chunk);
    const { method, url, headers } = incoming;
    const request = { method, url, headers, body: Buffer.concat(chunks).toString(), at: Date.now() };
    incoming.socket.once("close", () => (request.closedAt = Date.now()));
    const answer = answers[Math.min(requests.length, answers.length - 1)];
    requests.push(request);
    answer(response);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${server.address().port}/hook?token=hush-hush`, requests };
}

/** Asserts that requests tell one event of a job, signed with both secrets, with one body and one id. */
export function assertOneEvent(requests, job, type) {
  assert.equal(new Set(requests.map(({ headers }) => headers["webhook-id"])).size, 1);
  assert.equal(new Set(requests.map(({ body }) => body)).size, 1);
  for (const { method, headers, body } of requests) {
    assert.deepEqual([method, headers["content-type"]], ["POST", "application/json"]);
    for (const secret of [SECRET, PREVIOUS]) {
      const payload = new Webhook(secret).verify(body, headers);
      assert.deepEqual([payload.type, payload.data.id], [type, job.id]);
      assert.throws(() => new Webhook(secret).verify(body.replace(job.id, "x"), headers), /signature/i);
    }
    assert.throws(() => new Webhook("whsec_" + "A".repeat(32)).verify(body, headers), /signature/i);
  }
}

/** What each attempt at a webhook ended with: a status, or an error. */
export const statuses = ({ deliveries }) => deliveries.map(({ status, error }) => status ?? error);
