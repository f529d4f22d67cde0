//! How long it takes from a restart to the end of the jobs that were open at the kill before it.

/** Returns a stopwatch per restart. */
export function recovery() {
  const restarts = [];
  return {
    /** Notes that the service answers again, and what was open when it was killed. */
    restarted: (open) => restarts.push({ at: Date.now(), open: new Set(open), had: open.length }),

    /** Notes the end of a job. */
    ended(job) {
      const now = Date.now();
      for (const restart of restarts.filter(({ open }) => open.delete(job))) {
        if (job.end === "done") restart.first ??= now - restart.at;
        if (restart.open.size === 0) restart.all = now - restart.at;
      }
    },

    report() {
      const hit = restarts.filter(({ had }) => had > 0);
      const times = (name) => spread(hit.flatMap((restart) => restart[name] ?? []));
      const most = Math.max(0, ...hit.map(({ had }) => had));
      return (
        `${hit.length} of ${restarts.length} restarts found open jobs, ${most} at most; from a restart ` +
        `to the first thumbnail of those: ${times("first")}; to the end of all of them, through later kills: ${times("all")}`
      );
    },
  };
}

function spread(times) {
  if (times.length === 0) return "never";
  const sorted = times.toSorted((a, b) => a - b);
  const at = (share) => `${(sorted[Math.floor((sorted.length - 1) * share)] / 1_000).toFixed(1)} s`;
  return `median ${at(0.5)}, longest ${at(1)}`;
}
