//! Clients of live status for the specs: a WebSocket and a stream of events, both read message by message.

import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";

const DEADLINE_MS = 30_000;

/** What comes in, in order: `next()` waits for it, `close` says why no more will come. */
function inbox() {
  const items = [];
  const waiting = [];
  const put = (item) => (waiting.length > 0 ? waiting.shift()(item) : items.push(item));
  return {
    put,
    async next() {
      if (items.length > 0) return items.shift();
      let give;
      const item = new Promise((resolve) => waiting.push((give = resolve)));
      const late = sleep(DEADLINE_MS, undefined, { ref: false }).then(() => {
        waiting.splice(waiting.indexOf(give), 1);
        throw new Error(`nothing came in ${DEADLINE_MS / 1000} s`);
      });
      return Promise.race([item, late]);
    },
  };
}

/** Opens a WebSocket; `next()` returns a message as `{ text }`, or the end as `{ code }`. */
export async function listen(url) {
  const socket = new WebSocket(url.href.replace(/^http/, "ws"));
  const { put, next } = inbox();
  socket.onmessage = ({ data }) => put({ text: data });
  socket.onclose = ({ code, reason }) => put({ code, reason });
  await new Promise((resolve, reject) => {
    socket.onopen = resolve;
    socket.onerror = () => reject(new Error(`no WebSocket at ${url}`));
  });
  return {
    next,
    /** Returns the next message as a status document. */
    async document() {
      const { text, code } = await next();
      assert.equal(code, undefined, `closed with ${code}`);
      return JSON.parse(text);
    },
    send: (text) => socket.send(text),
    close: () => socket.close(1000),
  };
}

/** Opens a stream of events; `next()` returns an event as `{ id, data, retry, comment }`, or undefined at its end. */
export async function stream(url, lastEventId) {
  const abort = new AbortController();
  const headers = { accept: "text/event-stream", ...(lastEventId === undefined ? {} : { "last-event-id": lastEventId }) };
  const response = await fetch(url, { headers, signal: abort.signal });
  const { put, next } = inbox();
  const read = async () => {
    let text = "";
    for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
      text += chunk;
      const blocks = text.split("\n\n");
      text = blocks.pop();
      for (const block of blocks) put(parse(block));
    }
    put(undefined);
  };
  if (response.status === 200) read().catch((error) => put({ error }));
  return {
    response,
    next,
    /** Returns the next event that has data, its document beside its id. */
    async event() {
      for (;;) {
        const event = await next();
        assert.ok(event && !event.error, `the stream ended: ${event?.error}`);
        if (event.data !== undefined) return { id: event.id, document: JSON.parse(event.data) };
      }
    },
    /** Waits for the end of the stream; events before it are a fault. */
    async ended() {
      for (;;) {
        const event = await next();
        if (event === undefined) return;
        assert.ok(!event.error && event.data === undefined, JSON.stringify(event));
      }
    },
    close: () => abort.abort(),
  };
}

function parse(block) {
  const event = {};
  for (const line of block.split("\n")) {
    const [, field, value] = /^([^:]*):? ?(.*)$/.exec(line);
    event[field || "comment"] = event[field] === undefined ? value : `${event[field]}\n${value}`;
  }
  return event;
}
