//! When a run has stood still for too long. Being slow is no fault: every step forward renews the patience.

/** Longer than any pause that a job of the run may make, and than a machine may be busy with something else. */
const STANDSTILL_MS = 5 * 60_000;

/** Returns patience that lasts from each step to the next. */
export function patience() {
  let since = Date.now();
  return {
    /** A step forward was made. */
    renew: () => (since = Date.now()),
    isOver: () => Date.now() - since > STANDSTILL_MS,
  };
}
