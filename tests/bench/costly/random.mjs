//! What the families of costly pictures draw from.

/** Numbers from 0 to 1, the same for the same seed. */
export function random(seed) {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

export const pick = (next, all) => all[Math.floor(next() * all.length)];

/** From `from` to `to`, all orders of magnitude alike. */
export const spread = (next, from, to) => Math.round(from * (to / from) ** next());

/** Sides of an image of up to `maxPixels`, of up to `maxSide` each. */
export function sides(next, maxPixels, maxSide) {
  const pixels = spread(next, 1e5, maxPixels);
  const aspect = spread(next, 1, 100) / spread(next, 1, 100);
  const width = Math.max(1, Math.min(maxSide, Math.round(Math.sqrt(pixels * aspect))));
  return { width, height: Math.max(1, Math.min(maxSide, Math.floor(pixels / width))) };
}

/** So many bytes that mean nothing. */
export function noise(next, length) {
  const bytes = Buffer.alloc(length);
  for (let i = 0; i < length; i++) bytes[i] = next() * 256;
  return bytes;
}

/** Gives `feed` the piece again and again until it had `total` bytes. */
export function repeat(piece, total, feed) {
  for (let left = total; left > 0; left -= piece.length) feed(piece.subarray(0, Math.min(left, piece.length)));
}
