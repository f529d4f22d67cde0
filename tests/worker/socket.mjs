//! Requests that no HTTP library would send: written to a socket, piece by piece.

import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

/** A large piece is followed by a moment in which an answer can be noticed. */
const LARGE_BYTES = 64 * 1024;
const MOMENT_MS = 2;

/**
 * Posts a body to `/thumbnails` and returns `{ status, json, text }`.
 * `body` yields buffers; each is a chunk of its own where there is no `length`.
 * The answer may come before the body has ended: the rest is not sent then.
 */
export function post(url, { type, length, body, hangUp = false }) {
  const framing = length === undefined ? "Transfer-Encoding: chunked" : `Content-Length: ${length}`;
  const head = `POST /thumbnails HTTP/1.1\r\nHost: ${url.host}\r\nConnection: close\r\nContent-Type: ${type}\r\n${framing}\r\n\r\n`;
  const socket = connect(Number(url.port), url.hostname);
  let received = "";
  const answer = new Promise((resolve) => {
    socket.setEncoding("utf8").on("data", (text) => (received += text));
    // A server that has answered may close while something is still being written.
    socket.on("error", () => {}).on("close", () => resolve(parse(received)));
  });
  const write = (bytes) => new Promise((resolve) => socket.write(bytes, () => resolve()));
  const send = async () => {
    await write(head);
    for await (const bytes of body) {
      if (received !== "" || socket.destroyed) return;
      if (bytes.length === 0) continue;
      if (bytes.length >= LARGE_BYTES) await sleep(MOMENT_MS);
      await write(length === undefined ? Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from("\r\n")]) : bytes);
    }
    if (hangUp) socket.destroy();
    else if (length === undefined) await write("0\r\n\r\n");
  };
  return send().then(() => answer);
}

function parse(text) {
  const [head, ...rest] = text.split("\r\n\r\n");
  const status = Number(head.split(" ")[1] ?? 0);
  const raw = rest.join("\r\n\r\n");
  const body = /^transfer-encoding: chunked/im.test(head) ? unchunked(raw) : raw;
  return { status, text: body, json: () => JSON.parse(body) };
}

function unchunked(text) {
  let [rest, body] = [Buffer.from(text), ""];
  while (rest.length > 0) {
    const line = rest.indexOf("\r\n");
    const size = Number.parseInt(rest.subarray(0, line).toString(), 16);
    if (!(size > 0)) break;
    body += rest.subarray(line + 2, line + 2 + size);
    rest = rest.subarray(line + 4 + size);
  }
  return body;
}
