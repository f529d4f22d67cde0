//! What is known of every accepted job: what was seen of it, and whether that agrees.

import { createHash } from "node:crypto";
import { describe } from "../images/pictures.mjs";

const OPEN = "open";

/** Returns the books of a run. */
export function books() {
  const jobs = [];
  return {
    jobs,
    /** Notes an upload that was answered with 202. */
    accepted(upload, document) {
      const path = new URL(document.resized_image_url).pathname;
      const job = { id: document.id, path, upload, end: OPEN, doubled: [], deleting: false };
      jobs.push(job);
      return job;
    },

    /** The jobs whose end nobody has seen yet. */
    open: () => jobs.filter((job) => job.end === OPEN),

    /** What became of all of them, by what each upload deserved. */
    account() {
      const sums = { accepted: jobs.length, done: 0, failed: 0, cancelled: 0, poison: 0 };
      const faults = { lost: [], stuck: [], doubled: [], wrong: [] };
      for (const job of jobs) {
        if (job.doubled.length > 0) faults.doubled.push(job);
        if (job.end === OPEN) faults.stuck.push(job);
        else if (job.end === "lost") faults.lost.push(job);
        else if (job.end === "failed: poison" && !job.upload.damaged) sums.poison++;
        else if (deserved(job)) sums[job.end.split(":")[0]]++;
        else faults.wrong.push(job);
      }
      return { sums, faults };
    },
  };
}

/** Notes the answer to `GET` of a job's thumbnail; returns whether the job has ended. */
export function observe(job, answer) {
  const seen = meaning(answer);
  if (!seen) return job.end !== OPEN;
  if (seen.end !== OPEN || job.end !== OPEN) settle(job, seen);
  return job.end !== OPEN;
}

function settle(job, { end, thumbnail }) {
  // A thumbnail may be there until its deletion is; never again behind that.
  const calledOff = job.deleting && job.end === "done" && end === "cancelled";
  if (job.end !== OPEN && job.end !== end && !calledOff) job.doubled.push(`${job.end}, then ${end}`);
  if (thumbnail && job.thumbnail && thumbnail !== job.thumbnail) job.doubled.push(`two thumbnails: ${job.thumbnail}, ${thumbnail}`);
  job.thumbnail ??= thumbnail;
  job.end = end;
}

/** Notes the answer to `DELETE`: from then on nothing but 410 is right. */
export function observeDelete(job, { status }) {
  if (status === 204 || status === 410) settle(job, { end: "cancelled" });
  else if (status === 404) settle(job, { end: "lost" });
}

function meaning({ status, etag, body }) {
  if (status === 200) return { end: "done", thumbnail: fingerprint(body, etag) };
  if (status === 409) return { end: OPEN };
  if (status === 410) return { end: "cancelled" };
  if (status === 404) return { end: "lost" };
  if (status === 422) return { end: `failed: ${JSON.parse(body).type.split("/").pop()}` };
  return undefined;
}

function fingerprint(body, etag) {
  const { width, height } = describe(body);
  const hash = createHash("sha256").update(body).digest("hex").slice(0, 16);
  return `${width}x${height} ${hash} ${etag}`;
}

function deserved({ end, upload, thumbnail }) {
  if (upload.cancelled) return end === "cancelled";
  if (upload.damaged) return end === "failed: truncated-image" || end === "failed: damaged-image";
  return end === "done" && thumbnail.startsWith("100x100 ");
}
