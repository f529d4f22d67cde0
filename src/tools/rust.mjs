//! Checks Rust and installs the pinned commands that turn it into a Worker.

import { existsSync, rmSync } from "node:fs";
import { cargoBin, inRoot } from "./paths.mjs";
import { Fault, capture, step } from "./run.mjs";
import { isStamped, stamp } from "./stamp.mjs";

const TARGET = "wasm32-unknown-unknown";
const MIN_MINOR = 91;
const INSTALL_RUST = "Install Rust from https://rustup.rs, then run the command again.";

/** The commands that `cargo install` builds; their versions belong to those in Cargo.toml. */
const COMMANDS = [
  { crate: "wasm-bindgen-cli", version: "0.2.129", bins: ["wasm-bindgen"] },
  { crate: "worker-build", version: "0.8.7", bins: ["worker-build"] },
];

/** Checks that there is a Rust new enough with the wasm target, and gets what rustup can get. */
export async function ensureRust() {
  const rustup = (await capture("rustup", ["--version"])).code === 0;
  let rustc = await capture("rustc", ["--version"]);
  if (rustc.code !== 0 && rustup) {
    // Without an argument this takes the version, components and targets from rust-toolchain.toml.
    await step("rustup toolchain install", "rustup", ["toolchain", "install"], { advice: () => INSTALL_RUST });
    rustc = await capture("rustc", ["--version"]);
  }
  const minor = Number(/rustc 1\.(\d+)/.exec(rustc.output)?.[1] ?? 0);
  if (minor === 0) throw new Fault(`Rust is missing. ${INSTALL_RUST}`);
  if (minor < MIN_MINOR) {
    throw new Fault(`Rust 1.${minor} is too old, 1.${MIN_MINOR} or newer is needed. ${INSTALL_RUST}`);
  }
  await ensureTarget(rustup);
}

async function ensureTarget(rustup) {
  if (await hasTarget()) return;
  if (rustup) {
    const advice = () => `Run \`rustup target add ${TARGET}\` where the network allows it.`;
    await step(`rustup target add ${TARGET}`, "rustup", ["target", "add", TARGET], { advice });
  }
  if (!(await hasTarget())) {
    throw new Fault(
      `This Rust has no standard library for ${TARGET}. With rustup: \`rustup target add ${TARGET}\`. ` +
        "On Debian without rustup: `apt install rustc-web cargo-web rust-web-src lld-22`, and build the standard " +
        "library with cargo's build-std. Or take Rust from https://rustup.rs.",
    );
  }
}

async function hasTarget() {
  const { code, output } = await capture("rustc", ["--print", "target-libdir", "--target", TARGET]);
  return code === 0 && existsSync(output.trim());
}

/** Installs the pinned commands into .tools unless they are there. Both at once: each alone leaves cores idle. */
export const ensureCommands = () => Promise.all(COMMANDS.map(ensureCommand));

async function ensureCommand({ crate, version, bins }) {
  const path = inRoot(".tools", `${crate}.stamp`);
  if (isStamped(path, version) && bins.every((bin) => existsSync(cargoBin(bin)))) return;
  const args = ["install", "--locked", "--force", "--debug", "--root", inRoot(".tools")];
  args.push(...bins.flatMap((bin) => ["--bin", bin]), `${crate}@${version}`);
  // Quick to build matters more than quick to run: they run for seconds, their build takes minutes.
  const env = {
    CARGO_PROFILE_DEV_DEBUG: "0",
    CARGO_TARGET_DIR: inRoot(".tools", "target", crate),
  };
  await step(`cargo install ${crate}`, "cargo", args, { env, advice });
  rmSync(env.CARGO_TARGET_DIR, { recursive: true, force: true });
  stamp(path, version);
}

function advice(output) {
  if (/openssl|pkg-config/i.test(output)) {
    return "worker-build links OpenSSL: install its headers (Debian: `apt install pkg-config libssl-dev`).";
  }
  if (/linker .* not found/.test(output)) return "A C linker is missing (Debian: `apt install build-essential`).";
  return "Check that cargo reaches its registry, then run the command again.";
}
