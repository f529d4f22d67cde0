//! Files that are cut: what there is of them is shown, and everybody who asks or listens is told that it is not all.

import assert from "node:assert/strict";
import { test } from "node:test";
import { FORMATS } from "../images/pictures.mjs";
import { client, eventually, raw } from "./client.mjs";
import { harness } from "./harness.mjs";
import { stream } from "./listeners.mjs";
import { SECRET, receiver, status } from "./receiver.mjs";

const INCOMPLETE = [{ code: "incomplete", detail: "The file is cut or damaged: parts of the image are missing." }];

const workers = harness({ vars: { ALLOW_INSECURE_WEBHOOKS: "1" }, secrets: { WEBHOOK_SECRET: SECRET } });
const service = client(workers);

for (const { name, bytes } of FORMATS) {
  test(`a ${name} that is cut is done with a warning, and a whole one without`, async () => {
    const cut = await service.ended(await service.upload(bytes.subarray(0, bytes.length * 0.7), `cut.${name}`));
    assert.equal(cut.status, "done", JSON.stringify(cut.problem));
    assert.deepEqual(cut.warnings, INCOMPLETE);
    const whole = await service.ended(await service.upload(bytes, `whole.${name}`));
    assert.equal(whole.status, "done", JSON.stringify(whole.problem));
    assert.equal(whole.warnings, undefined);
  });
}

test("the event and the webhook have the warning, too", async () => {
  const { url, requests } = await receiver(status(204));
  const { bytes, mediaType } = FORMATS.find(({ name }) => name === "jpeg");
  const picture = raw(bytes.subarray(0, bytes.length / 2), mediaType);
  const response = await workers.fetch(`/thumbnails?webhook=${encodeURIComponent(url)}`, picture);
  const job = await response.json();
  const listener = await stream(new URL(`/thumbnails/${job.id}/events`, (await workers.server.listen()).url));
  let document;
  do ({ document } = await listener.event());
  while (document.status !== "done");
  assert.deepEqual(document.warnings, INCOMPLETE);
  await eventually("the webhook", async () => requests.length > 0);
  assert.deepEqual(JSON.parse(requests[0].body).data.warnings, INCOMPLETE);
});
