//! Reads from a wasm module what its linker was told.

const MEMORY_SECTION = 5;
const CODE_SECTION = 10;
const V128 = 0x7b;
/** The formats that have a decoder in every build. */
export const FORMATS = ["bmp", "gif", "jpeg", "png", "tiff", "webp"];

/** Returns `{ maxPages, simd }`: the memory's limit in pages of 64 KiB, and whether any function uses vectors. */
export function inspect(bytes) {
  const result = { maxPages: undefined, simd: false };
  const reader = new Reader(bytes, 8);
  while (!reader.atEnd()) {
    const id = reader.byte();
    const section = reader.part(reader.number());
    if (id === MEMORY_SECTION) result.maxPages = maxPages(section);
    if (id === CODE_SECTION) result.simd = hasVectorLocals(section);
  }
  return result;
}

/** Returns the formats whose decoders are in a module that still has the names of its functions. */
export function decoders(bytes) {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString("latin1");
  return FORMATS.filter((format) => new RegExp(`decode(\\.\\.|::|\\d+)${format}(\\.\\.|::|\\d+)decoder`).test(text));
}

function maxPages(section) {
  section.number(); // how many memories; there is one
  const hasMax = (section.byte() & 1) === 1;
  section.number(); // initial pages
  return hasMax ? section.number() : undefined;
}

function hasVectorLocals(section) {
  for (let functions = section.number(); functions > 0; functions--) {
    const body = section.part(section.number());
    for (let groups = body.number(); groups > 0; groups--) {
      body.number(); // how many locals of this type
      if (body.byte() === V128) return true;
    }
  }
  return false;
}

class Reader {
  constructor(bytes, at) {
    this.bytes = bytes;
    this.at = at;
  }

  atEnd() {
    return this.at >= this.bytes.length;
  }

  byte() {
    return this.bytes[this.at++];
  }

  /** Reads an unsigned LEB128 number. */
  number() {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = this.byte();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
  }

  part(length) {
    const part = new Reader(this.bytes.subarray(this.at, this.at + length), 0);
    this.at += length;
    return part;
  }
}
