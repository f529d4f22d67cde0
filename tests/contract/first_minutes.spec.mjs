//! What somebody tries in the first minutes: `npm start` with settings of their own, and `npm run send-image`.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { describe } from "../images/pictures.mjs";
import { freePort, startDev } from "../../src/tools/dev.mjs";
import { DEV_DEFAULTS, ensureDevVars } from "../../src/tools/dev-vars.mjs";
import { inRoot, nodeBin } from "../../src/tools/paths.mjs";
import { capture } from "../../src/tools/run.mjs";
import { writeRunVars } from "../../src/tools/run-vars.mjs";
import { server } from "./server.mjs";

const THUMBNAIL = { format: "jpeg", width: 100, height: 100 };

const workers = server();

const folder = mkdtempSync(join(tmpdir(), "first-minutes-"));
after(() => rmSync(folder, { recursive: true, force: true }));

const start = (env) => capture(nodeBin(), [inRoot("src", "tools", "start.mjs")], { env });
const sendImage = (args, env = {}) =>
  capture(nodeBin(), [inRoot("src", "tools", "send-image.mjs"), ...args], { env: { INIT_CWD: folder, ...env } });

/** Returns the path of a new copy of the photo. */
function photo(...names) {
  const path = join(folder, ...names);
  mkdirSync(join(path, ".."), { recursive: true });
  copyFileSync(inRoot("tests", "images", "photo.jpg"), path);
  return path;
}

test("a port that is none is said to be wrong in one sentence", async () => {
  for (const port of ["abc", "80000", "0", "-1", "87.5"]) {
    const { code, output } = await start({ PORT: port });
    assert.equal(code, 1);
    assert.match(output, /^\nerror: PORT must be a number from 1 to 65535, not ".+"\. For example: .+\n$/);
  }
});

test("a second start in one folder is told of the first", async () => {
  const state = join(folder, "state");
  const claim = `const { claimFolder } = await import(process.argv[1]); claimFolder(8787, process.argv[2]);`;
  const args = (rest) => ["--input-type=module", "-e", claim + rest, inRoot("src", "tools", "one-start.mjs"), state];
  const first = spawn(nodeBin(), args("console.log('claimed'); setInterval(() => {}, 1_000);"));
  after(() => first.kill());
  await once(first.stdout, "data");
  const second = await capture(nodeBin(), args(""));
  assert.equal(second.code, 1);
  assert.ok(second.output.includes(`runs in this folder already, on port 8787 (process ${first.pid})`), second.output);
  // One that was killed leaves its mark behind, and is in nobody's way.
  first.kill("SIGKILL");
  await once(first, "exit");
  assert.equal((await capture(nodeBin(), args(""))).code, 0);
  assert.equal(existsSync(join(state, "start.pid")), false);
});

test("defaults for development can be edited, and the environment goes before them for one run", async () => {
  const devVars = join(folder, "dev.vars");
  writeFileSync(devVars, 'LISTING="0" # nobody is to see them');
  ensureDevVars(devVars);
  const made = readFileSync(devVars, "utf8");
  for (const [name] of DEV_DEFAULTS) assert.equal(made.match(new RegExp(`^${name}=`, "gm")).length, 1, name);
  assert.match(made, /^WEBHOOK_SECRET="whsec_.{44}"$/m);
  ensureDevVars(devVars);
  assert.equal(readFileSync(devVars, "utf8"), made);

  const listed = async (env) => {
    const state = mkdtempSync(join(folder, "state-"));
    const envFiles = [devVars, writeRunVars(env, state)];
    let output = "";
    const dev = await startDev({ port: await freePort(), state, envFiles, onOutput: (text) => (output += text) });
    const listing = await fetch(`${dev.url}/thumbnails`);
    const preset = await fetch(`${dev.url}/thumbnails?preset=small`, { method: "POST", body: "?", headers: { "content-type": "image/png" } });
    await dev.stop();
    assert.doesNotMatch(output, /whsec_/);
    return [listing.status, (await preset.json()).type.split("/").at(-1)];
  };
  assert.deepEqual(await listed({}), [403, "invalid-option"]);
  assert.deepEqual(await listed({ LISTING: "1", PRESETS: '{"small": {}}', HOME: "/" }), [200, "not-an-image"]);
});

test("send-image takes files from anywhere, several at once", async () => {
  const [near, far] = [photo("near.jpg"), photo("elsewhere", "far.jpg")];
  const { code, output } = await sendImage(["near.jpg", far, "--url", workers.url("/")]);
  assert.equal(code, 0, output);
  for (const path of [near, far]) {
    assert.deepEqual(describe(readFileSync(path.replace(".jpg", "-thumbnail.jpg"))), THUMBNAIL);
  }
});

test("send-image keeps the path of the service's address", async () => {
  const paths = [];
  const proxy = createServer((request, response) => {
    paths.push(request.url);
    request.resume().on("end", () => response.writeHead(503, { "content-type": "text/plain" }).end("not now"));
  });
  after(() => proxy.close());
  await once(proxy.listen(0, "127.0.0.1"), "listening");
  const { code, output } = await sendImage([photo("near.jpg"), "--url", `http://127.0.0.1:${proxy.address().port}/pictures`]);
  assert.equal(code, 1);
  assert.match(output, /the service answered 503: not now/);
  assert.deepEqual(paths, ["/pictures/thumbnails"]);
});

test("send-image says what is wrong", async () => {
  const port = await freePort();
  const notes = join(folder, "notes.jpg");
  writeFileSync(notes, "no image");
  for (const [args, exit, words] of [
    [["--help"], 0, /--url URL/],
    [["--link", "x"], 2, /error: Unknown option '--link'/],
    [["missing.jpg", "--url", workers.url("/")], 2, /error: there is no file .*missing\.jpg/],
    [[folder, "--url", workers.url("/")], 2, /error: that is a folder/],
    [["notes.jpg", "--url", "localhost"], 2, /error: localhost is no address/],
    [["notes.jpg", "--url", `http://127.0.0.1:${port}`], 2, /error: nothing answers there; is `npm start` running\?/],
    [["notes.jpg", "--url", workers.url("/")], 1, /the service answered 400: .*not an image/],
  ]) {
    const { code, output } = await sendImage(args);
    assert.match(output, words);
    assert.equal(code, exit, output);
  }
});

test("send-image without a file sends one that git does not see", async () => {
  const { code, output } = await sendImage(["--url", workers.url("/")]);
  assert.equal(code, 0, output);
  const ignored = readFileSync(inRoot(".gitignore"), "utf8").split("\n");
  const [, saved] = /saved (.+) \(/.exec(output);
  for (const path of [saved, join(folder, "example.png")]) {
    assert.ok(readFileSync(path).length > 0);
    assert.ok(ignored.includes(path.slice(folder.length + 1)), path);
  }
});
