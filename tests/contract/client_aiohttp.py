"""One upload from start to end with aiohttp: as a form, as bytes, and as a stream of unknown length.

Usage: client_aiohttp.py BASE_URL FILE
"""

import asyncio
import sys

import aiohttp

WAIT = {"prefer": "wait=20"}


async def chunks(data, size=1000):
    for start in range(0, len(data), size):
        yield data[start : start + size]


async def upload(session, url, status, **request):
    async with session.post(url, **request) as answer:
        assert answer.status == status, (answer.status, await answer.text())
        return await answer.json(), answer.headers


async def check(base, path):
    with open(path, "rb") as file:
        data = file.read()
    jpeg = {"content-type": "image/jpeg"}
    async with aiohttp.ClientSession() as session:
        form = aiohttp.FormData({"size": "64x48"})
        form.add_field("image", data, filename="cat.jpg", content_type="image/jpeg")
        job, headers = await upload(session, f"{base}/thumbnails", 201, data=form, headers=WAIT)
        assert headers["location"] == job["status_url"], headers
        raw = f"{base}/thumbnails?size=64x48"
        same, _ = await upload(session, raw, 201, data=data, headers={**jpeg, **WAIT})
        streamed, _ = await upload(session, raw, 201, data=chunks(data), headers={**jpeg, **WAIT})
        pictures = []
        for document in (job, same, streamed):
            async with session.get(document["resized_image_url"]) as answer:
                assert answer.status == 200, await answer.text()
                pictures.append(await answer.read())
                etag = answer.headers["etag"]
        assert pictures[0][:2] == b"\xff\xd8" and pictures[0] == pictures[1] == pictures[2]
        async with session.get(streamed["resized_image_url"], headers={"if-none-match": etag}) as answer:
            assert answer.status == 304
        async with session.get(streamed["resized_image_url"], headers={"range": "bytes=0-9"}) as answer:
            assert (answer.status, await answer.read()) == (206, pictures[0][:10])
        async with session.delete(job["status_url"]) as answer:
            assert answer.status == 204
        async with session.get(job["resized_image_url"]) as answer:
            assert answer.status == 410 and answer.content_type == "application/problem+json", answer.headers


if __name__ == "__main__":
    asyncio.run(check(sys.argv[1].rstrip("/"), sys.argv[2]))
    print("ok")
