"""What the description cannot say: which bytes are an image."""

import struct
import zlib

import schemathesis
from hypothesis import strategies as st


def png(width, height, color):
    def chunk(kind, data):
        body = kind + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    rows = (b"\0" + bytes(color) * width) * height
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


side = st.integers(1, 40)
pictures = st.builds(png, side, side, st.tuples(*[st.integers(0, 255)] * 3))

schemathesis.openapi.format("binary", pictures)
for media_type in ("image/png", "application/octet-stream"):
    schemathesis.openapi.media_type(media_type, pictures)


SIZES = ["sizes", "size", "width", "height"]


@schemathesis.hook
def map_case(context, case):
    """Takes out of valid requests what a schema cannot forbid: the same thing twice, addresses that are not public."""
    mode = getattr(getattr(case.meta, "generation", None), "mode", None)
    if mode is None or mode.value != "positive":
        return case
    # Only the service itself gives cursors, and the grammar of a key is no schema's.
    if context.operation.label == "GET /thumbnails" and case.query:
        case.query.pop("cursor", None)
    # Nothing is signed here.
    if context.operation.label == "POST /thumbnails/{id}" and case.query:
        case.query.pop("signature", None)
    if context.operation.label not in ("POST /thumbnails", "POST /thumbnails/{id}"):
        return case
    for name in [name for name in case.headers or () if name.lower() == "idempotency-key"]:
        del case.headers[name]
    places = [place for place in (case.query, case.body) if isinstance(place, dict)]
    seen = set()
    for place in places:
        for name in list(place):
            # No preset is configured, and most pictures have one page.
            if name in seen or name in ("preset", "page"):
                del place[name]
            seen.add(name)
    given = [name for name in SIZES if name in seen]
    superfluous = given[1:] if given[:1] in (["sizes"], ["size"]) else []
    for place in places:
        for name in [*superfluous, "webhook"]:
            place.pop(name, None)
    return case
