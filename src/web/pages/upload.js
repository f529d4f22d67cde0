// Uploads images and shows how each of them fares, live: over one WebSocket, or else one stream of
// events (?transport=sse), or else by asking again and again (?transport=poll).

const UPLOADS_AT_ONCE = 4;
const UPLOAD_TRIES = 30;
// How often a try is waited for that may still be on its way.
const WAITS_PER_KEY = 3;
// Somewhat fewer than the service lets one connection follow.
const MAX_FOLLOWED = 90;
const PING_MS = 25_000;
const POLL_MS = 1_000;
const LONGEST_PAUSE_MS = 8_000;
const FAILURES_BEFORE_NEXT = 3;
const FINAL = ["done", "failed", "cancelled", "expired"];
const WORDS = { pending: "Waiting", processing: "Being made", retrying: "Trying again" };

const find = (id) => document.getElementById(id);
const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
// Not all at the same moment, where many have lost their connection at once.
const growing = (failures) => Math.min(LONGEST_PAUSE_MS, 300 * 2 ** failures) * (0.5 + Math.random());
const at = (path) => new URL(path, location.href);

/** The tiles of jobs that have not ended, by id. */
const open = new Map();
const waiting = [];
let uploading = 0;
const counts = { all: 0, done: 0, failed: 0 };

/** One image on the page. */
class Tile {
  constructor(file) {
    this.file = file;
    this.revision = -1;
    this.element = find("tile").content.firstElementChild.cloneNode(true);
    this.element.querySelector("b").textContent = file.name;
    find("tiles").append(this.element);
    this.show("queued", "Waiting to be uploaded");
  }

  show(status, text) {
    this.element.dataset.status = status;
    this.element.querySelector("span").textContent = text;
  }

  /** Takes a status document; what is not newer is known. */
  hear(job) {
    if (job.revision <= this.revision) return;
    this.revision = job.revision;
    if (!FINAL.includes(job.status)) return this.show(job.status, WORDS[job.status]);
    open.delete(job.id);
    if (job.status === "done") this.finish(job);
    else this.fail(job.problem?.detail ?? `The job is ${job.status}`);
  }

  finish(job) {
    const image = new Image();
    let failures = 0;
    image.alt = `Thumbnail of ${this.file.name}`;
    const warnings = (job.warnings ?? []).map(({ detail }) => `. ${detail}`).join("");
    image.onload = () => this.end("done", `Done, ${job.thumbnails[0].width} × ${job.thumbnails[0].height}${warnings}`);
    image.onerror = async () => {
      if (failures++ >= UPLOAD_TRIES) return this.fail("The thumbnail cannot be loaded");
      await pause(growing(failures));
      image.src = `${job.resized_image_url}?${failures}`;
    };
    image.src = job.resized_image_url;
    this.element.querySelector(".frame").replaceChildren(image);
  }

  fail(text) {
    this.end("failed", text);
  }

  end(status, text) {
    this.show(status, text);
    counts[status]++;
    summarise();
  }
}

function summarise() {
  const { all, done, failed } = counts;
  find("summary").textContent = `${done} of ${all} done${failed ? `, ${failed} failed` : ""}`;
}

/** Passes a status document on to its tile. */
function hear(job) {
  const tile = open.get(job.id);
  if (!tile) return;
  if (job.status) tile.hear(job);
  else if (open.delete(job.id)) tile.fail(job.problem.detail);
}

/** The first of the jobs that have not ended. */
const followed = () => [...open.keys()].slice(0, MAX_FOLLOWED);

/** One WebSocket, which is told of each new job. */
const ws = {
  connect({ opened, closed }) {
    const url = at("events");
    url.protocol = url.protocol.replace("http", "ws");
    const socket = new WebSocket(url);
    const told = new Set();
    const tell = () => {
      for (const id of followed().filter((id) => !told.has(id))) {
        told.add(id);
        socket.send(id);
      }
    };
    let retry;
    // What was refused for want of room is asked for again; what is followed already is not told twice.
    const again = () => {
      retry = undefined;
      told.clear();
      if (socket.readyState === WebSocket.OPEN) tell();
    };
    const ping = setInterval(() => open.size > 0 && socket.readyState === WebSocket.OPEN && socket.send("ping"), PING_MS);
    socket.onopen = () => {
      opened();
      tell();
    };
    socket.onmessage = ({ data }) => {
      if (data === "pong") return;
      const job = JSON.parse(data);
      if (!job.id) return (retry ??= setTimeout(again, POLL_MS));
      hear(job);
      tell();
    };
    socket.onclose = () => {
      clearInterval(ping);
      closed();
    };
    return { follow: () => socket.readyState === WebSocket.OPEN && tell() };
  },
};

/** One stream of events, opened again for new jobs. */
const sse = {
  connect({ opened, closed }) {
    let source;
    let timer;
    let ids = "";
    const listen = () => {
      timer = undefined;
      const wanted = followed().join();
      if (wanted === ids) return;
      ids = wanted;
      source?.close();
      if (!ids) return closed();
      source = new EventSource(at(`events?ids=${ids}`));
      source.onopen = opened;
      source.onmessage = ({ data }) => hear(JSON.parse(data));
      // Also where it would connect again by itself: by then other jobs are to be followed.
      source.onerror = () => {
        source.close();
        clearTimeout(timer);
        closed();
      };
    };
    listen();
    // Many uploads end at about the same time.
    return { follow: () => (timer ??= setTimeout(listen, 300)) };
  },
};

/** Asks for the status of each job, again and again. */
const poll = {
  connect({ opened, closed }) {
    const ask = async (id) => {
      const response = await fetch(at(`thumbnails/${id}`));
      const job = await response.json();
      if (response.ok || response.status === 410) hear(job);
      else if (response.status === 404) hear({ id, problem: job });
    };
    (async () => {
      while (open.size > 0) {
        await Promise.all(followed().map(ask)).then(opened, () => {});
        await pause(POLL_MS);
      }
      closed();
    })();
    return { follow() {} };
  },
};

/** Keeps one connection for as long as there are jobs to follow, and changes to the next way if one never works. */
const live = {
  ways: [["ws", ws], ["sse", sse], ["poll", poll]],
  failures: 0,
  refused: 0,

  follow() {
    if (this.connection) return this.connection.follow();
    const [name, way] = this.ways[0];
    let works = false;
    const opened = () => {
      works = true;
      this.failures = this.refused = 0;
      document.documentElement.dataset.transport = name;
    };
    this.connection = way.connect({ opened, closed: () => this.again(works) });
  },

  async again(worked) {
    this.connection = { follow() {} };
    await pause(growing(worked ? 0 : this.failures++));
    // A service that answers, only not in this way, will not do so the next time.
    if (!worked && this.ways.length > 1 && (await answers()) && ++this.refused >= FAILURES_BEFORE_NEXT) {
      this.ways.shift();
      this.refused = 0;
    }
    this.connection = undefined;
    if (open.size > 0) this.follow();
  },
};

const answers = () => fetch(at("healthz")).then((response) => response.ok, () => false);

/** A second try must not make a second job. Only secure pages have keys. */
const newKey = () => globalThis.crypto?.randomUUID?.();

async function upload(tile) {
  const body = new FormData();
  body.append("image", tile.file);
  let key = newKey();
  let waits = 0;
  for (let failures = 0; failures < UPLOAD_TRIES; failures++) {
    tile.show("uploading", failures ? "No answer, uploading again" : "Uploading");
    try {
      const headers = key ? { "idempotency-key": key } : {};
      const response = await fetch(at("thumbnails"), { method: "POST", headers, body });
      if (response.status === 409) {
        // A try before this one is on its way, or has died with its server, which leaves its key taken for minutes.
        if (++waits % WAITS_PER_KEY === 0) key = newKey();
        await pause(1_000 * response.headers.get("retry-after"));
        continue;
      }
      if (response.status < 500) return taken(tile, response.ok, await response.json());
    } catch {
      // The connection broke: nobody knows what became of it.
    }
    await pause(growing(failures));
  }
  tile.fail("The service does not answer");
}

function taken(tile, accepted, document) {
  if (!accepted) return tile.fail(document.detail);
  open.set(document.id, tile);
  tile.hear(document);
  live.follow();
}

async function next() {
  if (uploading >= UPLOADS_AT_ONCE || waiting.length === 0) return;
  uploading++;
  await upload(waiting.shift()).catch(() => {});
  uploading--;
  next();
}

function take(files) {
  for (const file of files) waiting.push(new Tile(file));
  counts.all += files.length;
  summarise();
  for (let free = UPLOADS_AT_ONCE; free > 0; free--) next();
}

const chosen = new URLSearchParams(location.search).get("transport");
while (live.ways.some(([name]) => name === chosen) && live.ways[0][0] !== chosen) live.ways.shift();

const form = find("form");
find("send").hidden = true;
find("files").onchange = ({ target }) => {
  take([...target.files]);
  target.value = "";
};
form.onsubmit = (event) => event.preventDefault();
// The window, and not the body: what is dropped below the content would leave the page for the image.
addEventListener("dragover", (event) => {
  event.preventDefault();
  form.classList.add("over");
});
addEventListener("dragleave", () => form.classList.remove("over"));
addEventListener("drop", (event) => {
  event.preventDefault();
  form.classList.remove("over");
  take([...event.dataTransfer.files]);
});
