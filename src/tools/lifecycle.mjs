//! The lifecycle rules of the bucket: the last net below the sweep, and the only one for uploads in parts that were
//! left open, which no Worker can list.

const DAY_SECS = 86_400;
/** For clocks, and for a sweep that comes late. */
const SPARE_DAYS = 7;
const ABORT_DAYS = 1;
/** As in src/core/config.rs. */
const DEFAULTS = { MAX_EXPIRES_SECS: 365 * DAY_SECS, TOMBSTONE_SECS: 14 * DAY_SECS };

/**
 * The commands that set the rules, for the text of a wrangler.toml. wrangler only appends rules: each one is removed
 * first, where it is there, and rules of other names stay.
 */
export function lifecycle(bucket, config) {
  const secs = Object.entries(DEFAULTS).map(([name, fallback]) => variable(config, name) ?? fallback);
  const days = String(Math.ceil(secs.reduce((a, b) => a + b) / DAY_SECS) + SPARE_DAYS);
  const rule = (name, prefix, ...flags) => ({
    remove: ["r2", "bucket", "lifecycle", "remove", bucket, "--name", name],
    add: ["r2", "bucket", "lifecycle", "add", bucket, name, prefix, ...flags, "--force"],
  });
  return [
    rule("edge-thumbnails-sources", "source/", "--expire-days", days, "--abort-multipart-days", String(ABORT_DAYS)),
    rule("edge-thumbnails-thumbnails", "thumbnail/", "--expire-days", days),
  ];
}

function variable(config, name) {
  const value = new RegExp(`^${name}\\s*=\\s*"(\\d+)"`, "m").exec(config)?.[1];
  return value && Number(value);
}
