//! Live status with the packages that Node's users take: `eventsource` and `ws`.

import assert from "node:assert/strict";
import { openAsBlob } from "node:fs";
import { test } from "node:test";
import { EventSource } from "eventsource";
import WebSocket from "ws";
import { inRoot } from "../../src/tools/paths.mjs";
import { server } from "./server.mjs";

const workers = server();

async function upload() {
  const body = new FormData();
  body.append("image", await openAsBlob(inRoot("tests", "images", "photo.jpg")), "cat.jpg");
  const response = await workers.fetch("/thumbnails", { method: "POST", body });
  assert.equal(response.status, 202);
  return response.json();
}

/** Asserts that documents tell of one job, each newer than the one before, up to the last. */
function assertTold(documents, job) {
  assert.ok(documents.every(({ id }) => id === job.id));
  const revisions = documents.map(({ revision }) => revision);
  assert.deepEqual(revisions, [...new Set(revisions)].toSorted((a, b) => a - b));
  assert.equal(documents.at(-1).status, "done");
}

test("EventSource hears of every change, and stops by itself at the end", async () => {
  const job = await upload();
  const documents = [];
  const source = new EventSource(`${job.status_url}/events`);
  source.onmessage = ({ data }) => documents.push(JSON.parse(data));
  // It connects again when the stream ends, and is told that there is no more: 204 closes it.
  await new Promise((resolve) => {
    source.onerror = () => source.readyState === EventSource.CLOSED && resolve();
  });
  assertTold(documents, job);
});

test("ws hears of every change, and is closed in the normal way", async () => {
  const job = await upload();
  const documents = [];
  const socket = new WebSocket(`${job.status_url.replace("http", "ws")}/events`);
  socket.on("message", (data) => documents.push(JSON.parse(data)));
  const code = await new Promise((resolve, reject) => socket.on("close", resolve).on("error", reject));
  assert.equal(code, 1000);
  assertTold(documents, job);
});

test("ws follows several jobs over one connection, which it closes itself", async () => {
  const jobs = [await upload(), await upload()];
  const socket = new WebSocket(workers.url("/events").replace("http", "ws"));
  const last = new Map();
  socket.on("open", () => socket.send(jobs.map(({ id }) => id).join()));
  await new Promise((resolve, reject) => {
    socket.on("error", reject).on("message", (data) => {
      const document = JSON.parse(data);
      last.set(document.id, document.status);
      if (jobs.every(({ id }) => last.get(id) === "done")) resolve();
    });
  });
  socket.close(1000);
  const code = await new Promise((resolve) => socket.on("close", resolve));
  assert.equal(code, 1000);
});
