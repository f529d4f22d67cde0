"""One upload from start to end with the Python library that is named.

Usage: clients.py requests|httpx BASE_URL FILE
Both libraries have the same calls for what a client of this service needs, but for one name.
"""

import importlib
import sys
import time

DEADLINE_SECONDS = 60
POLL_SECONDS = 0.1
BODY = {"requests": "data", "httpx": "content"}


def poll(library, url):
    """Asks as long as the answer is 409; returns the answer that is not."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while time.monotonic() < deadline:
        response = library.get(url)
        if response.status_code != 409:
            return response
        time.sleep(POLL_SECONDS)
    raise AssertionError(f"{url} was not ready after {DEADLINE_SECONDS} s")


def check(library, base, path):
    with open(path, "rb") as file:
        form = library.post(f"{base}/thumbnails", files={"image": ("cat.jpg", file)}, data={"size": "64x48"})
    assert form.status_code == 202, form.text
    with open(path, "rb") as file:
        body = {BODY[library.__name__]: file.read()}
    raw = library.post(f"{base}/thumbnails?size=64x48", headers={"content-type": "image/jpeg"}, **body)
    assert raw.status_code == 202, raw.text

    job, other = form.json(), raw.json()
    assert form.headers["location"] == job["status_url"], form.headers
    thumbnail, same = poll(library, job["resized_image_url"]), poll(library, other["resized_image_url"])
    assert thumbnail.status_code == 200 and thumbnail.headers["content-type"] == "image/jpeg", thumbnail.headers
    assert thumbnail.content[:2] == b"\xff\xd8" and thumbnail.content == same.content
    assert int(thumbnail.headers["content-length"]) == len(thumbnail.content)

    again = library.get(job["resized_image_url"], headers={"if-none-match": thumbnail.headers["etag"]})
    assert again.status_code == 304 and again.content == b"", again.status_code
    document = library.get(job["status_url"]).json()
    assert document["status"] == "done" and document["source"]["filename"] == "cat.jpg", document
    assert document["thumbnails"][0]["width"] == 64, document

    assert library.delete(job["status_url"]).status_code == 204
    gone = library.get(job["resized_image_url"])
    assert gone.status_code == 410 and gone.headers["content-type"] == "application/problem+json", gone.headers


if __name__ == "__main__":
    check(importlib.import_module(sys.argv[1]), sys.argv[2].rstrip("/"), sys.argv[3])
    print("ok")
