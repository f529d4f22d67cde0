//! Jobs in states that no upload reaches reliably: commands to the Durable Object, and copies in KV.

import { randomBytes } from "node:crypto";

/** Returns a new id: a UUIDv7, of now or of another time in milliseconds. */
export function newId(time = Date.now()) {
  const bytes = randomBytes(16);
  bytes.writeUIntBE(time, 0, 6);
  bytes[6] = 0x70 | (bytes[6] & 0x0f);
  bytes[8] = 0x80 | (bytes[8] & 0x3f);
  return bytes.toString("hex").replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}

/** The message that asks for an attempt at a job. */
export const message = (id) => JSON.stringify({ v: 1, job: id });

/** Gives the Durable Object of a job a command and returns its verdict. */
export async function command(workers, id, body) {
  const { JOB } = await workers.env();
  const response = await JOB.get(JOB.idFromName(id)).fetch("https://job/", {
    method: "POST",
    body: JSON.stringify(body),
  });
  return JSON.parse(await response.text());
}

const SOURCE = { format: "png", width: 8, height: 8, bytes: 1, sha256: "00" };

/** Begins a job whose source was never stored, as after a loss in R2. */
export async function createWithoutSource(workers, like) {
  const id = newId();
  const { variants } = await copy(workers, like.id);
  await command(workers, id, { command: "create", id, owner: "anonymous", source: SOURCE, variants });
  return id;
}

/** Begins a job and, before any consumer does, its first attempt: one that never comes back. */
export async function createStuck(workers, like) {
  const { variants } = await copy(workers, like.id);
  for (let tries = 0; tries < 20; tries++) {
    const id = newId();
    const create = { command: "create", id, owner: "anonymous", source: SOURCE, variants };
    // Several, because one may arrive before the job exists.
    const starts = Array.from({ length: 4 }, () => ({ command: "start", alone: true }));
    const verdicts = await Promise.all([create, ...starts].map((body) => command(workers, id, body)));
    if (verdicts.some(({ verdict }) => verdict === "proceed")) return id;
  }
  throw new Error("the consumer was faster each time");
}

/** Puts a copy of a job in another state into KV, and nothing else anywhere; returns its id. */
export async function plantCopy(workers, like, state) {
  const { STATUS } = await workers.env();
  const id = newId();
  const record = { ...(await copy(workers, like.id)), id, state, updated_at: Date.now() };
  await STATUS.put(`status/${id}`, JSON.stringify(record));
  return id;
}

async function copy(workers, id) {
  const { STATUS } = await workers.env();
  return JSON.parse(await STATUS.get(`status/${id}`));
}
