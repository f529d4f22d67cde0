//! `npm run soak [-- --uploads N --kills N --seed N]`: uploads while the service is killed again and again, then
//! accounts for every upload that it accepted. Ends with 1 where one is lost, stuck or doubled.
//! `npm run soak -- --burst [--short]`: what burst.mjs does.

import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { build } from "../../src/tools/build.mjs";
import { Fault, program, seconds } from "../../src/tools/run.mjs";
import { books as newBooks } from "./books.mjs";
import { burst } from "./burst.mjs";
import { lookAt, uploadAll } from "./clients.mjs";
import { mortal } from "./mortal.mjs";
import { patience } from "./patience.mjs";
import { random } from "./random.mjs";
import { recovery } from "./recovery.mjs";
import { uploads as newUploads } from "./uploads.mjs";

const VARS = {
  LEASE_SECS: "3",
  RESCUE_SECS: "2",
  // Shorter, and hundreds of waiting jobs send so many messages again that a slow machine does nothing else.
  RESCUE_CAP_SECS: "60",
  RETRY_SECS: "1",
  RETRY_CAP_SECS: "4",
  // Attempts and messages that our own kills end must count for nothing: that an image is poison is not the subject.
  MAX_LOST_ATTEMPTS: "100",
  MAX_ATTEMPTS: "100",
  MAX_SENDS: "1000",
};
/** How long the service lives between two kills. */
const LIFE_MS = [200, 3_000];
const LOOK_PAUSE_MS = 250;
const PROGRESS_EVERY_MS = 5_000;
const SHOWN = 10;

async function soak() {
  const given = options();
  if (given.burst) return burst(given);
  const { uploads, kills, seed } = counts(given);
  await build();
  console.log(`soak: ${uploads} uploads, ${kills} kills, seed ${seed} (repeat with --seed ${seed})`);
  const run = new Run(uploads, kills, random(seed));
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
    process.once(signal, () => run.service.end().finally(() => process.exit(1)));
  }
  try {
    return await run.all();
  } finally {
    await run.service.end();
  }
}

function options() {
  const [text, flag] = [{ type: "string" }, { type: "boolean", default: false }];
  return parseArgs({ options: { uploads: text, kills: text, seed: text, burst: flag, short: flag } }).values;
}

function counts(values) {
  const number = (name, fallback) => {
    const value = Number(values[name] ?? fallback);
    if (!Number.isSafeInteger(value) || value < 0) throw new Fault(`--${name} must be a whole number`);
    return value;
  };
  return { uploads: number("uploads", 1_000), kills: number("kills", 50), seed: number("seed", Date.now() % 2 ** 32) };
}

function spread(counts) {
  const sorted = counts.toSorted((a, b) => a - b);
  const at = (share) => sorted[Math.floor((sorted.length - 1) * share)];
  return `median ${at(0.5)}, p99 ${at(0.99)}, most ${at(1)}, of ${sorted.length} jobs`;
}

class Run {
  constructor(uploads, kills, chance) {
    this.started = Date.now();
    this.patience = patience();
    this.uploads = newUploads(uploads, chance);
    this.lives = Array.from({ length: kills }, () => chance.whole(...LIFE_MS));
    this.killed = 0;
    this.service = mortal(VARS);
    this.books = newBooks();
    this.recovery = recovery();
    this.watching = true;
  }

  async all() {
    await this.service.start();
    const progress = setInterval(() => this.progress(), PROGRESS_EVERY_MS);
    const watcher = this.watch();
    try {
      await Promise.all([this.upload(), this.killAll()]);
      while (this.books.open().length > 0 && !this.patience.isOver()) await sleep(LOOK_PAUSE_MS);
      this.watching = false;
      await watcher;
      // Once more from what was stored: nothing may have changed.
      await this.restart();
      await lookAt(this.service, this.books.jobs, patience());
      await this.service.kill();
      this.sends = spread(this.service.records().map(({ sends }) => sends));
    } finally {
      this.watching = false;
      clearInterval(progress);
    }
    return this.report();
  }

  /** The uploads are spread over all lives of the service. */
  upload() {
    const { service, books, uploads, patience } = this;
    const perLife = uploads.length / (this.lives.length + 1);
    return uploadAll({ service, books, uploads, patience, allowed: () => Math.ceil(perLife * (this.killed + 1)) });
  }

  async killAll() {
    for (const life of this.lives) {
      await sleep(life);
      await this.restart();
      this.killed++;
    }
  }

  async restart() {
    await this.service.kill();
    const open = this.books.open();
    await this.service.start();
    this.patience.renew();
    this.recovery.restarted(open);
  }

  async watch() {
    while (this.watching) {
      await lookAt(this.service, this.books.open(), this.patience, (job) => this.recovery.ended(job));
      await sleep(LOOK_PAUSE_MS);
    }
  }

  progress() {
    const { jobs } = this.books;
    const open = this.books.open().length;
    console.log(`  ${seconds(this.started)}: ${jobs.length}/${this.uploads.length} accepted, ${jobs.length - open} ended, ${this.killed}/${this.lives.length} kills`);
  }

  report() {
    const { sums, faults } = this.books.account();
    const list = (counts) => Object.entries(counts).map(([name, count]) => `${name} ${count}`).join(", ");
    console.log(`\n${list(sums)} (poison: good images given up for our own kills)`);
    for (const [name, jobs] of Object.entries(faults)) {
      for (const job of jobs.slice(0, SHOWN)) console.log(`${name}: ${job.id} ${job.upload.kind}: ${job.end} ${job.doubled.join("; ")}`);
    }
    console.log(this.recovery.report());
    console.log(`${list(Object.fromEntries(Object.entries(faults).map(([name, jobs]) => [name, jobs.length])))}; ${this.killed} kills in ${seconds(this.started)}`);
    console.log(`messages sent of each job: ${this.sends}`);
    const missing = this.uploads.length - this.books.jobs.length;
    if (missing > 0) console.log(`${missing} uploads were never accepted`);
    const bad = Object.values(faults).flat().length + sums.poison + missing;
    if (bad > 0) console.log(`the end of wrangler's output:\n${this.service.output().slice(-4_000)}`);
    return bad === 0 ? 0 : 1;
  }
}

await program(soak);
