//! Where things are, and the environment in which every command of the project runs.

import { existsSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const root = join(dirname(fileURLToPath(import.meta.url)), "..", "..");
/** Returns the path of something inside the project. */
export const inRoot = (...parts) => join(root, ...parts);

/** Returns the path of a command that npm installed. */
export const npmBin = (name) => inRoot("node_modules", ".bin", name);
/** Returns the path of a command that `cargo install` put into .tools. */
export const cargoBin = (name) => inRoot(".tools", "bin", name);

/** Returns Node from the lock file where there is one for this machine, else the one that runs this. */
export const nodeBin = () => (existsSync(npmBin("node")) ? npmBin("node") : process.execPath);

/** Returns the environment for child processes: the project's own commands come first. */
export function environment(extra = {}) {
  const own = [dirname(npmBin("node")), dirname(cargoBin("worker-build"))];
  return {
    ...process.env,
    PATH: [...own, process.env.PATH ?? ""].join(delimiter),
    WRANGLER_SEND_METRICS: "false",
    // The local stand-in for `request.cf` needs no download.
    CLOUDFLARE_CF_FETCH_ENABLED: "false",
    WRANGLER_LOG_PATH: inRoot(".wrangler", "logs"),
    ...extra,
  };
}

/** The arguments that make `wrangler` take both Workers together. */
export const bothWorkers = ["-c", "wrangler.toml", "-c", "wrangler.origin.toml"];

/** Returns a wrangler command line as [program, arguments]. */
export const wrangler = (...args) => [nodeBin(), [inRoot("node_modules", "wrangler", "bin", "wrangler.js"), ...args]];
