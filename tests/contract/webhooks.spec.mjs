//! The code of src/docs/webhooks.md and the official libraries verify real deliveries, also during a rotation.

import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, test } from "node:test";
import { examplePng } from "../../src/tools/example.mjs";
import { inRoot } from "../../src/tools/paths.mjs";
import { PYTHON, pythonEnvironment } from "../../src/tools/python.mjs";
import { capture } from "../../src/tools/run.mjs";
import { client, eventually, raw } from "../worker/client.mjs";
import { PREVIOUS, SECRET, receiver, status } from "../worker/receiver.mjs";
import { server } from "./server.mjs";

const OTHER = "whsec_" + "A".repeat(32);
const docs = readFileSync(inRoot("src", "docs", "webhooks.md"), "utf8");

const workers = server({
  vars: { ALLOW_INSECURE_WEBHOOKS: "1", WEBHOOK_SECRET: SECRET, WEBHOOK_SECRET_PREVIOUS: PREVIOUS },
});
const service = client(workers);

// Inside the project, where Node finds its packages.
mkdirSync(inRoot(".wrangler"), { recursive: true });
const folder = mkdtempSync(inRoot(".wrangler", "webhooks-"));
after(() => rmSync(folder, { recursive: true, force: true }));

/** Returns the code of a language that the documentation shows. */
function shown(language) {
  const [, text] = docs.split(`<!-- run by tests/contract/webhooks.spec.mjs -->\n\`\`\`${language}\n`);
  assert.ok(text, `src/docs/webhooks.md has no ${language}`);
  return text.split("\n```")[0];
}

/** Has the service tell an event, and returns it with the secrets and the path of a file that holds it too. */
async function deliver() {
  const { url, requests } = await receiver(status(200));
  const upload = raw(examplePng(60, 40), "image/png");
  const response = await workers.fetch(`/thumbnails?webhook=${encodeURIComponent(url)}`, upload);
  assert.equal(response.status, 202, await response.clone().text());
  const job = await response.json();
  await eventually("the delivery", async () => (await service.status(job)).webhook.status === "delivered");
  const [{ headers, body }] = requests;
  const delivery = { secrets: [SECRET, PREVIOUS], headers, body };
  const path = join(folder, `${job.id}.json`);
  writeFileSync(path, JSON.stringify(delivery));
  return { ...delivery, path };
}

test("JavaScript verifies a delivery with the new secret and with the old one", async () => {
  const file = join(folder, "verify.mjs");
  writeFileSync(file, shown("js"));
  const { verify } = await import(file);
  const { secrets, headers, body } = await deliver();
  for (const secret of secrets) {
    assert.equal(verify(secret, headers, body).type, "thumbnail.done");
    assert.throws(() => verify(secret, headers, body.replace("done", "gone")));
    assert.throws(() => verify(secret, { ...headers, "webhook-id": "msg_other" }, body));
    const old = String(Number(headers["webhook-timestamp"]) - 301);
    assert.throws(() => verify(secret, { ...headers, "webhook-timestamp": old }, body));
  }
  assert.throws(() => verify(OTHER, headers, body));
});

test("Python verifies a delivery with the new secret and with the old one", async () => {
  const checks = `
import json, sys
from standardwebhooks import WebhookVerificationError

def refused(secret, headers, body):
    try:
        verify(secret, headers, body)
    except WebhookVerificationError:
        return True
    return False

given = json.load(open(sys.argv[1]))
headers, body = given["headers"], given["body"]
for secret in given["secrets"]:
    assert verify(secret, headers, body)["type"] == "thumbnail.done"
    assert refused(secret, headers, body.replace("done", "gone"))
    assert refused(secret, {**headers, "webhook-id": "msg_other"}, body)
assert refused("${OTHER}", headers, body)
print("verified")
`;
  const file = join(folder, "verify.py");
  writeFileSync(file, `${shown("python")}\n${checks}`);
  const { code, output } = await capture(PYTHON, [file, (await deliver()).path], { env: pythonEnvironment() });
  assert.equal(code, 0, output);
  assert.equal(output.trim(), "verified");
});

test("Rust verifies a delivery with the new secret and with the old one", async () => {
  const { path } = await deliver();
  const args = ["test", "--locked", "--test", "service", "webhook_verify"];
  const { code, output } = await capture("cargo", args, { env: { WEBHOOK_DELIVERY: path } });
  assert.equal(code, 0, output);
  assert.match(output, /2 passed/);
});
