//! Runs the cells, each in a process of its own, interleaved over rounds so that a slow minute hits all alike.

import { fileURLToPath } from "node:url";
import { nodeBin } from "../../src/tools/paths.mjs";
import { capture } from "../../src/tools/run.mjs";
import { geomean, median } from "./figures.mjs";
import { peers } from "./implementations.mjs";

const script = (name) => fileURLToPath(new URL(name, import.meta.url));

/**
 * Measures `implementations` on `pictures` ({ file, class }) and returns one row per cell.
 * `modules` has the wasm of "ours", and of "before" where two builds are compared.
 */
export async function measure({ pictures, implementations, modules, rounds, calls }) {
  const cells = pictures.flatMap((picture) =>
    implementations
      .filter((name) => peers[name]?.classes?.includes(picture.class) ?? true)
      .map((implementation) => ({ ...picture, implementation, rounds: [] })),
  );
  for (let round = 0; round < rounds; round++) {
    // Every other round backwards: who comes after whom changes too.
    for (const cell of round % 2 === 0 ? cells : cells.toReversed()) {
      const { implementation, file } = cell;
      cell.rounds.push(await child("cell.mjs", { implementation, file, module: modules[implementation], calls }));
      process.stdout.write(".");
    }
  }
  process.stdout.write("\n");
  return cells.map((cell) => summarise(cell, cells));
}

/** Returns the PSNR in dB of our thumbnail of a file against an exact one. */
export const quality = async (file, module) => child("quality.mjs", { file, module });

async function child(name, job) {
  const { code, output } = await capture(nodeBin(), ["--max-old-space-size=8192", script(name), JSON.stringify(job)]);
  const json = output.slice(output.lastIndexOf("\n{") + 1).trim();
  if (code !== 0 || !json.startsWith("{")) return { error: output.match(/^.*Error: .*$/m)?.[0] || `exit code ${code}` };
  return JSON.parse(json);
}

function summarise(cell, cells) {
  const { rounds, ...row } = cell;
  const failed = rounds.find((round) => round.error);
  if (failed) return { ...row, error: failed.error, ...highest(rounds) };
  const of = (key) => median(rounds.map((round) => round[key]));
  // Rounds are compared pair by pair: neighbors in time had the same machine.
  const pairsWith = (implementation) => {
    const anchor = cells.find((other) => other.file === cell.file && other.implementation === implementation);
    return anchor ? rounds.map((round, index) => round.cpu_ms / anchor.rounds[index].cpu_ms) : [];
  };
  const [toSharp, toBefore] = [pairsWith("sharp"), pairsWith("before")];
  return {
    ...row,
    cpu_ms: of("cpu_ms"),
    first_ms: of("first_ms"),
    load_ms: of("load_ms"),
    calls: rounds.reduce((sum, round) => sum + round.calls, 0),
    bytes: rounds[0].bytes,
    ...highest(rounds),
    ratio_to_sharp: toSharp.every(Number.isFinite) ? geomean(toSharp) : null,
    ...(toBefore.length > 0 && toBefore.every(Number.isFinite) && { ratio_to_before: median(toBefore) }),
  };
}

function highest(rounds) {
  const of = (key) => Math.max(...rounds.map((round) => round[key]));
  return rounds[0].wasm_mib === undefined ? { rss_delta_mib: of("rss_delta_mib") } : { wasm_mib: of("wasm_mib") };
}
