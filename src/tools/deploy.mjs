//! `npm run deploy`: creates what is missing in the account and deploys both Workers; `-- --dry-run` needs no account.

import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { build } from "./build.mjs";
import { lifecycle } from "./lifecycle.mjs";
import { inRoot, wrangler } from "./paths.mjs";
import { Fault, capture, program, streamed } from "./run.mjs";
import { setup } from "./setup.mjs";

const BUCKET = "edge-thumbnails-images";
const QUEUES = [
  "edge-thumbnails-resize",
  "edge-thumbnails-resize-dead",
  "edge-thumbnails-webhooks",
  "edge-thumbnails-webhooks-dead",
];
const NAMESPACE = {
  name: "edge-thumbnails-status",
  list: ["kv", "namespace", "list"],
  create: ["kv", "namespace", "create"],
  named: "title",
  id: "id",
};
const DATABASE = { name: "edge-thumbnails", list: ["d1", "list", "--json"], create: ["d1", "create"], named: "name", id: "uuid" };
// Beside wrangler.toml, so that the paths in it stay right.
const RESOLVED_CONFIG = ".wrangler.deploy.toml";

async function deploy() {
  await setup();
  await build();
  if (process.argv.includes("--dry-run")) {
    await run("deploy", "--dry-run", "-c", "wrangler.toml");
    await run("deploy", "--dry-run", "-c", "wrangler.origin.toml");
    return;
  }
  if ((await capture(...wrangler("whoami"))).output.includes("not authenticated")) {
    throw new Fault("wrangler knows no account. Run `npx wrangler login`, or set CLOUDFLARE_API_TOKEN.");
  }
  await create("r2", "bucket", "create", BUCKET);
  for (const queue of QUEUES) await create("queues", "create", queue);
  const config = readFileSync(inRoot("wrangler.toml"), "utf8");
  await setLifecycle(config);
  const resolved = config
    .replace('binding = "STATUS"', `binding = "STATUS"\nid = "${await idOf(NAMESPACE)}"`)
    .replace('binding = "DB"', `binding = "DB"\ndatabase_id = "${await idOf(DATABASE)}"`);
  writeFileSync(inRoot(RESOLVED_CONFIG), resolved);
  try {
    const configs = ["wrangler.origin.toml", RESOLVED_CONFIG];
    // The origin reads the messages of this edge and of the one before: it comes first. It binds the Durable
    // Object of the edge, so that it cannot be the very first.
    for (const config of (await isDeployed()) ? configs : configs.toReversed()) await run("deploy", "-c", config);
  } finally {
    rmSync(inRoot(RESOLVED_CONFIG));
  }
}

/** Whether the account has the edge already. */
async function isDeployed() {
  const { code, output } = await capture(...wrangler("deployments", "list", "-c", "wrangler.toml"));
  // What the API calls a Worker that it does not know.
  if (code !== 0 && !output.includes("code: 10007")) throw new Fault(`the deployments cannot be listed:\n${output}`);
  return code === 0;
}

async function run(...args) {
  const { code } = await streamed(...wrangler(...args));
  if (code !== 0) throw new Fault(`\`wrangler ${args.join(" ")}\` failed, see above`);
}

/** Sets the lifecycle rules of the bucket anew: the longest life may have changed. */
async function setLifecycle(config) {
  for (const { remove, add } of lifecycle(BUCKET, config)) {
    // It may not be there yet.
    await capture(...wrangler(...remove));
    await run(...add);
  }
}

/** Creates something; that it is there already is as good. */
async function create(...args) {
  const { code, output } = await capture(...wrangler(...args));
  if (code === 0) console.log(`created: ${args.at(-1)}`);
  else if (!/already (exists|taken|own)|is already/i.test(output)) {
    throw new Fault(`\`wrangler ${args.join(" ")}\` failed:\n${output}`);
  }
}

/** Returns the account's id of something that is bound by it, which is created where it is missing. */
async function idOf({ name, list, create: args, named, id }) {
  const find = async () => (await listed(list)).find((entry) => entry[named] === name);
  let found = await find();
  if (!found) {
    await create(...args, name);
    found = await find();
  }
  if (!found) throw new Fault(`${name} was created but is not listed; run the command again`);
  return found[id];
}

async function listed(args) {
  const { code, output } = await capture(...wrangler(...args));
  if (code !== 0) throw new Fault(`\`wrangler ${args.join(" ")}\` failed:\n${output}`);
  return JSON.parse(output.slice(output.indexOf("["), output.lastIndexOf("]") + 1));
}

await program(deploy);
