//! Turns rows into tables and into the summary of `--json`.

import { basename } from "node:path";
import { fixed, geomean, table } from "./figures.mjs";

/** Below this our thumbnail is not the image that was asked for, and its time does not count. */
export const MIN_PSNR_DB = 45;
const SUMMARISED = ["jpeg-baseline", "jpeg-progressive", "png", "webp-lossy", "webp-lossless", "gif"];

const isOurs = (row) => row.implementation === "ours";
const counts = (row) => !row.error && !row.void && row.ratio_to_sharp != null;

/** Returns what CI and people compare: means over the files of a class, and the worst of all. */
export function summary(rows) {
  const ours = rows.filter(isOurs);
  const result = {};
  for (const name of SUMMARISED) {
    const ratios = ours.filter((row) => row.class === name && counts(row)).map((row) => row.ratio_to_sharp);
    result[`${name.replace("-", "_")}_geomean`] = geomean(ratios);
  }
  const psnrs = ours.map((row) => row.psnr_db).filter(Number.isFinite);
  const memories = ours.map((row) => row.wasm_mib).filter(Number.isFinite);
  result.worst_psnr_db = psnrs.length > 0 ? Math.min(...psnrs) : null;
  result.peak_wasm_mib = memories.length > 0 ? Math.max(...memories) : null;
  result.void_cells = ours.filter((row) => row.void).length;
  result.failed_cells = rows.filter((row) => row.error).length;
  return result;
}

/** Returns one line per file: our figures, and every peer's time as a multiple of sharp's. */
export function fileTable(rows, implementations) {
  const others = implementations.filter((name) => !["ours", "before", "sharp"].includes(name));
  const head = ["file", "class", "MP", "sharp ms", "ours ms", "ours/sharp", "first ms", "ours MiB", "PSNR dB", "sharp MiB"];
  head.push(...others.map((name) => `${name} x, MiB`));
  const files = [...new Set(rows.map((row) => row.file))];
  const lines = files.map((file) => {
    const of = (name) => rows.find((row) => row.file === file && row.implementation === name) ?? {};
    const [ours, sharp] = [of("ours"), of("sharp")];
    const note = ours.error ? "failed" : ours.void ? `${fixed(ours.ratio_to_sharp, 2)} void` : fixed(ours.ratio_to_sharp, 2);
    const line = [basename(file), ours.class, fixed(ours.megapixels, 1), fixed(sharp.cpu_ms, 1), fixed(ours.cpu_ms, 1), note];
    line.push(fixed(ours.first_ms, 1), fixed(ours.wasm_mib, 1), fixed(ours.psnr_db, 1), fixed(sharp.rss_delta_mib, 0));
    line.push(...others.map((name) => peer(of(name))));
    return line;
  });
  return table([head, ...lines]);
}

/** Returns one line per file of what workerd took. */
export const workerdTable = (rows) =>
  table([
    ["file", "first ms", "warm ms", "calls"],
    ...rows.map((row) => [basename(row.file), fixed(row.first_ms, 1), fixed(row.cpu_ms, 1), String(row.calls)]),
  ]);

function peer(row) {
  if (row.error) return "failed";
  if (row.cpu_ms === undefined) return "-";
  return `${fixed(row.ratio_to_sharp, 2)}, ${fixed(row.wasm_mib ?? row.rss_delta_mib, 0)}`;
}

/** Returns the geometric mean and the worst ratio of each class, for each implementation. */
export function classTable(rows, implementations) {
  const compared = implementations.filter((name) => !["before", "sharp"].includes(name));
  const classes = [...new Set(rows.map((row) => row.class))];
  const lines = classes.map((name) => [
    name,
    String(new Set(rows.filter((row) => row.class === name).map((row) => row.file)).size),
    ...compared.flatMap((implementation) => {
      const of = rows.filter((row) => row.class === name && row.implementation === implementation && counts(row));
      const ratios = of.map((row) => row.ratio_to_sharp);
      return [fixed(geomean(ratios), 2), ratios.length > 0 ? fixed(Math.max(...ratios), 2) : "-"];
    }),
  ]);
  const head = ["class", "files", ...compared.flatMap((name) => [`${name} geomean`, "worst"])];
  return table([head, ...lines]);
}

/** Returns one line per class and per file: our CPU time over that of the build before. */
export function beforeTable(rows) {
  const ours = rows.filter((row) => isOurs(row) && row.ratio_to_before != null);
  const ratios = (name) => ours.filter((row) => row.class === name).map((row) => row.ratio_to_before);
  const classes = [...new Set(ours.map((row) => row.class))].map((name) => [name, fixed(geomean(ratios(name)), 3)]);
  const files = ours.map((row) => [basename(row.file), fixed(row.ratio_to_before, 3)]);
  return table([["class or file", "now/before"], ...classes, ...files]);
}

/** Returns a sentence for everything that went wrong. */
export const troubles = (rows) =>
  rows.flatMap((row) => {
    const where = `${basename(row.file)}, ${row.implementation}`;
    if (row.error) return [`${where}: ${row.error}`];
    if (row.void) return [`${where}: void, ${fixed(row.psnr_db, 1)} dB is below ${MIN_PSNR_DB}`];
    return [];
  });
