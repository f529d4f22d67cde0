//! Each way to make a thumbnail: `load` returns a function from the file's bytes to the bytes of a JPEG.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";

const require = createRequire(import.meta.url);
const SIDE = 100;
const QUALITY = 80;
/** What R2 and uploads come in, roughly. */
export const CHUNK_BYTES = 64 * 1024;
/** The thumbnail that is measured, as our options. */
export const variant = (format) => ({ name: "bench", width: SIDE, height: SIDE, fit: "cover", format, quality: QUALITY });

/** Returns a function that makes a thumbnail with the wasm built at `module`, fed chunk by chunk. */
export function loadOurs(module, format = "jpeg") {
  const { Session } = require(module);
  const options = JSON.stringify(variant(format));
  return (file) => {
    const session = new Session(options);
    for (let at = 0; at < file.length; at += CHUNK_BYTES) session.feed(file.subarray(at, at + CHUNK_BYTES));
    return session.finish();
  };
}

/** The peers by name. `classes` are those that they can read, where not all. */
export const peers = {
  sharp: { load: () => loadSharp(true) },
  // Leaves twice the pixels to its resizer, as we do: the same quality rule.
  "sharp-careful": { load: () => loadSharp(false) },
  photon: { load: loadPhoton },
  jsquash: { load: loadJsquash, classes: ["jpeg-baseline", "jpeg-progressive", "png", "webp-lossy", "webp-lossless"] },
  "wasm-vips": { load: loadVips },
};

async function loadSharp(fastShrinkOnLoad) {
  const { default: sharp } = await import("sharp");
  sharp.concurrency(1);
  sharp.cache(false);
  return (file) =>
    sharp(file, { limitInputPixels: false })
      .autoOrient()
      .resize(SIDE, SIDE, { fit: "cover", fastShrinkOnLoad })
      .flatten({ background: "#fff" })
      .jpeg({ quality: QUALITY })
      .toBuffer();
}

async function loadPhoton() {
  const photon = await import("@cf-wasm/photon");
  return (file) => {
    const image = photon.PhotonImage.new_from_byteslice(file);
    const [width, height] = [image.get_width(), image.get_height()];
    const side = Math.min(width, height);
    const [x, y] = [(width - side) >> 1, (height - side) >> 1];
    const square = photon.crop(image, x, y, x + side, y + side);
    image.free();
    const small = photon.resize(square, SIDE, SIDE, photon.SamplingFilter.Lanczos3);
    square.free();
    const jpeg = small.get_bytes_jpeg(QUALITY);
    small.free();
    return jpeg;
  };
}

async function loadJsquash() {
  // What browsers have and Node lacks.
  globalThis.ImageData ??= class ImageData {
    constructor(data, width, height) {
      Object.assign(this, { data, width, height: height ?? data.length / 4 / width });
    }
  };
  const module = (path) => new WebAssembly.Module(readFileSync(require.resolve(path)));
  const [jpegIn, jpegOut, png, webp, resize] = await Promise.all([
    import("@jsquash/jpeg/decode.js"),
    import("@jsquash/jpeg/encode.js"),
    import("@jsquash/png/decode.js"),
    import("@jsquash/webp/decode.js"),
    import("@jsquash/resize"),
  ]);
  await jpegIn.init(module("@jsquash/jpeg/codec/dec/mozjpeg_dec.wasm"));
  await jpegOut.init(module("@jsquash/jpeg/codec/enc/mozjpeg_enc.wasm"));
  await png.init(module("@jsquash/png/codec/pkg/squoosh_png_bg.wasm"));
  await webp.init(module("@jsquash/webp/codec/dec/webp_dec.wasm"));
  await resize.initResize(module("@jsquash/resize/lib/resize/pkg/squoosh_resize_bg.wasm"));
  return async (file) => {
    const decoder = file[0] === 0xff ? jpegIn : file[0] === 0x89 ? png : webp;
    const image = await decoder.default(file.buffer.slice(file.byteOffset, file.byteOffset + file.length));
    const options = { width: SIDE, height: SIDE, method: "lanczos3", fitMethod: "contain", linearRGB: false };
    return jpegOut.default(await resize.default(image, options), { quality: QUALITY });
  };
}

async function loadVips() {
  process.env.VIPS_CONCURRENCY = "1";
  const { default: Vips } = await import("wasm-vips");
  const vips = await Vips({ dynamicLibraries: [] });
  vips.concurrency(1);
  vips.Cache.max(0);
  return (file) => {
    const small = vips.Image.thumbnailBuffer(file, SIDE, { height: SIDE, crop: "centre" });
    const jpeg = small.writeToBuffer(".jpg", { Q: QUALITY, keep: "none" });
    small.delete();
    return jpeg;
  };
}
