//! The Python packages of tests/contract, in .tools, so that nothing of the machine's Python changes.

import { rmSync } from "node:fs";
import { inRoot } from "./paths.mjs";
import { Fault, capture, step } from "./run.mjs";
import { fingerprint, isStamped, stamp } from "./stamp.mjs";

export const PYTHON = "python3";
const PACKAGES = inRoot(".tools", "python");
const REQUIREMENTS = "tests/contract/requirements.txt";
const INSTALL_PYTHON = "Install it (Debian: `apt install python3 python3-pip`), then run the command again.";

/** Returns the variables with which Python finds the packages, and only writes where it should. */
export const pythonEnvironment = () => ({ PYTHONPATH: PACKAGES, PYTHONDONTWRITEBYTECODE: "1" });

/** Installs the packages unless they are there. */
export async function ensurePython() {
  const { code, output } = await capture(PYTHON, ["--version"]);
  if (code !== 0) throw new Fault(`python3 is missing; the contract's tests use it. ${INSTALL_PYTHON}`);
  const path = `${PACKAGES}.stamp`;
  const wanted = fingerprint({ files: [REQUIREMENTS], texts: [output] });
  if (isStamped(path, wanted)) return;
  if ((await capture(PYTHON, ["-m", "pip", "--version"])).code !== 0) {
    throw new Fault(`python3 has no pip; the contract's tests need packages from it. ${INSTALL_PYTHON}`);
  }
  rmSync(PACKAGES, { recursive: true, force: true });
  const args = ["-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--target", PACKAGES];
  await step("pip install", PYTHON, [...args, "-r", inRoot(REQUIREMENTS)], {
    advice: () => "Check that pip reaches its registry, then run the command again.",
  });
  stamp(path, wanted);
}
