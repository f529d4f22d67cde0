"""What clients of the replaced service do, with the library that they use.

Usage: old_client.py BASE_URL
Prints a line for each check; ends with 1 at the first that does not hold.
"""

import struct
import sys
import time
import zlib

import requests

POLL_SECONDS = 0.2
DEADLINE_SECONDS = 60


def png(width, height):
    """Returns a gray PNG with stripes."""

    def chunk(kind, data):
        crc = zlib.crc32(kind + data)
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", crc)

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    rows = b"".join(b"\0" + bytes([y % 256]) * width for y in range(height))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(rows, 1)) + chunk(b"IEND", b"")


def png_size(data):
    """Returns the size in the header of a PNG."""
    assert data[:8] == b"\x89PNG\r\n\x1a\n", data[:8]
    return struct.unpack(">II", data[16:24])


def upload(base, name, data, field="image", path="/thumbnails/"):
    return requests.post(base + path, files={field: (name, data)}, timeout=DEADLINE_SECONDS)


def poll(url):
    """Asks as long as the answer is 409; returns the answer that is not."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while time.monotonic() < deadline:
        response = requests.get(url, timeout=DEADLINE_SECONDS)
        if response.status_code != 409:
            return response
        assert "Current status of image processing is" in response.json()["processing"], response.text
        time.sleep(POLL_SECONDS)
    raise AssertionError(f"{url} was not ready after {DEADLINE_SECONDS} s")


def assert_thumbnail(response):
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == "image/png", response.headers
    assert png_size(response.content) == (100, 100)


def a_picture_becomes_a_thumbnail(base):
    for path in ("/thumbnails", "/thumbnails/"):
        response = upload(base, "a.png", png(150, 150), path=path)
        assert response.status_code == 202, response.text
        url = response.json()["resized_image_url"]
        assert url.startswith(base + "/thumbnails/") and url.endswith(".png"), url
        assert_thumbnail(poll(url))


def the_field_may_be_named_file(base):
    assert upload(base, "a.png", png(150, 150), field="file").status_code == 202


def an_empty_file_is_refused(base):
    response = upload(base, "a.png", b"")
    assert response.status_code == 400, response.text
    assert response.json()["error"]


def a_text_is_refused(base):
    response = upload(base, "a.txt", b"this is no image")
    assert response.status_code == 400, response.text
    assert response.json()["error"]


def an_unknown_name_is_not_found(base):
    response = requests.get(base + "/thumbnails/nothing.png", timeout=DEADLINE_SECONDS)
    assert response.status_code == 404, response.text
    assert response.json()["error"]


def a_large_picture_is_pending_at_first(base):
    response = upload(base, "large.png", png(5000, 5000))
    assert response.status_code == 202, response.text
    url = response.json()["resized_image_url"]
    at_once = requests.get(url, timeout=DEADLINE_SECONDS)
    # All Workers share one thread here: the first answer may come after the thumbnail is there.
    if at_once.status_code != 200:
        assert at_once.status_code == 409, at_once.text
        state = at_once.json()["processing"]
        assert "PENDING" in state or "STARTED" in state, state
    assert_thumbnail(poll(url))


def the_path_of_the_old_readme_leads_there(base):
    url = upload(base, "a.png", png(150, 150)).json()["resized_image_url"]
    poll(url)
    assert_thumbnail(requests.get(url.replace("/thumbnails/", "/thumbnail/"), timeout=DEADLINE_SECONDS))


CHECKS = [
    a_picture_becomes_a_thumbnail,
    the_field_may_be_named_file,
    an_empty_file_is_refused,
    a_text_is_refused,
    an_unknown_name_is_not_found,
    a_large_picture_is_pending_at_first,
    the_path_of_the_old_readme_leads_there,
]

if __name__ == "__main__":
    wanted = sys.argv[2:]
    for check in CHECKS:
        if not wanted or check.__name__ in wanted:
            check(sys.argv[1].rstrip("/"))
            print(check.__name__, flush=True)
