//! The Worker that `--workerd` measures: PUT keeps a file, POST makes its thumbnail.

import { Session, initSync } from "./bench.js";
import wasm from "./bench_bg.wasm";

initSync({ module: wasm });
let file;

export default {
  async fetch(request, { chunkBytes, options }) {
    if (request.method === "PUT") {
      file = new Uint8Array(await request.arrayBuffer());
      return new Response(null, { status: 204 });
    }
    const session = new Session(options);
    for (let at = 0; at < file.length; at += chunkBytes) session.feed(file.subarray(at, at + chunkBytes));
    return new Response(session.finish());
  },
};
