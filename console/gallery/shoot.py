"""Pictures of every chart kind for docs/charts.md: docs/images/charts/<kind>.png, 480 × 300.

    cd console && npx vite --port 5186 &
    ../.venv/bin/python gallery/shoot.py [--port 5186] [--theme dark] [--language fr] [--out folder] [kind ...]

Pictures are stored with 64 colours or fewer (more hardly matter in a chart): 15 kB at most.
"""
import argparse
import io
import shutil
import struct
import zlib
from pathlib import Path

from playwright.sync_api import sync_playwright

ROOT = Path(__file__).resolve().parents[2]


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--port", type=int, default=5186)
    parser.add_argument("--theme", default="light")
    parser.add_argument("--language", default="en")
    parser.add_argument("--out", type=Path, default=ROOT / "docs/images/charts")
    parser.add_argument("--sheet", action="store_true", help="one picture of all instead")
    parser.add_argument("kinds", nargs="*")
    asked = parser.parse_args()
    asked.out.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1500, "height": 900}, locale=asked.language)
        page.on("pageerror", lambda error: print("error:", error))
        page.on("console", lambda m: print(m.text) if m.type in ("error", "warning") else None)
        kinds = f"&kinds={','.join(asked.kinds)}" if asked.kinds else ""
        names = "&names" if asked.sheet else ""
        page.goto(f"http://localhost:{asked.port}/gallery/?theme={asked.theme}"
                  f"&language={asked.language}{kinds}{names}")
        page.wait_for_selector("[id^=kind-]")
        page.wait_for_timeout(2500)
        if asked.sheet:
            page.screenshot(path=asked.out / f"sheet-{asked.theme}-{asked.language}.png",
                            full_page=True)
            return
        for element in page.query_selector_all("[id^=kind-]"):
            name = element.get_attribute("id").removeprefix("kind-")
            shot = element.screenshot()
            picture = next(filter(lambda one: len(one) <= 15_000, (
                fewer_colours(shot, colours) for colours in (64, 24, 12))), shot)
            (asked.out / f"{name}.png").write_bytes(picture)
        browser.close()


def chunks(picture):
    at = 8
    while at < len(picture):
        size, kind = struct.unpack(">I4s", picture[at:at + 8])
        yield kind, picture[at + 8:at + 8 + size]
        at += size + 12


def rows_of(picture):
    """Width, height and the bytes of every row of an 8-bit RGB(A) picture, filters undone."""
    parts = list(chunks(picture))
    width, height, _, kind = struct.unpack(">IIBB", dict(parts)[b"IHDR"][:10])
    size = 4 if kind == 6 else 3
    data = zlib.decompress(b"".join(body for name, body in parts if name == b"IDAT"))
    stride, before, rows = width * size, bytearray(width * size), []
    for y in range(height):
        start = y * (stride + 1)
        row = bytearray(data[start + 1:start + 1 + stride])
        unfilter(data[start], row, before, size)
        rows.append(row)
        before = row
    return width, height, size, rows


def unfilter(kind, row, above, size):
    for i in range(len(row) if kind else 0):
        left = row[i - size] if i >= size else 0
        corner = above[i - size] if i >= size else 0
        if kind == 1:
            row[i] = (row[i] + left) & 255
        elif kind == 2:
            row[i] = (row[i] + above[i]) & 255
        elif kind == 3:
            row[i] = (row[i] + (left + above[i]) // 2) & 255
        else:
            guess = left + above[i] - corner
            near = min((abs(guess - left), 0, left), (abs(guess - above[i]), 1, above[i]),
                       (abs(guess - corner), 2, corner))
            row[i] = (row[i] + near[2]) & 255


def fewer_colours(picture, colours=64):
    """The same picture with a palette: its most frequent colours, the others the nearest of them."""
    width, height, size, rows = rows_of(picture)
    pixels = [[tuple(row[x * size:x * size + 3]) for x in range(width)] for row in rows]
    counts = {}
    for row in pixels:
        for pixel in row:
            counts[pixel] = counts.get(pixel, 0) + 1
    palette = sorted(counts, key=counts.get, reverse=True)[:colours]
    index = {colour: i for i, colour in enumerate(palette)}
    for colour in counts:
        if colour not in index:
            index[colour] = min(range(len(palette)), key=lambda i: sum(
                (a - b) ** 2 for a, b in zip(palette[i], colour)))
    body = b"".join(b"\0" + bytes(index[pixel] for pixel in row) for row in pixels)
    out = io.BytesIO(b"\x89PNG\r\n\x1a\n")
    out.seek(0, 2)
    for kind, data in ((b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)),
                       (b"PLTE", b"".join(bytes(c) for c in palette)),
                       (b"IDAT", zlib.compress(body, 9)), (b"IEND", b"")):
        out.write(struct.pack(">I", len(data)) + kind + data
                  + struct.pack(">I", zlib.crc32(kind + data)))
    return out.getvalue()


if __name__ == "__main__":
    main()
