#!/usr/bin/env python3
"""Composes a part of a made-up room in every format, and plays it in a headless Chromium.

Usage: play.py FOLDER_OF_THE_TOOLS

Not part of CI: it wants Chromium (CHROMIUM names it; else chromium or
chromium-browser on PATH). Standard library only.
"""

import functools
import http.server
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import threading

HERE = pathlib.Path(__file__).resolve().parent
# Name, flags, and whether a Chromium of the distributions plays it.
FORMATS = [
    ("vp8-opus.webm", [], True),
    ("vp9-opus.webm", ["--video-codec", "vp9"], True),
    ("av1-opus.webm", ["--video-codec", "av1"], True),
    ("h264-aac.mp4", [], True),
    ("chunks.mp4", ["--chunk", "3"], True),
    ("chunks.webm", ["--chunk", "3"], True),
    ("labels.webm", ["--labels"], True),
    ("hevc-aac.mp4", ["--video-codec", "hevc"], False),
]
SECONDS = 10
# How much of a file comes before the page says that it can be played.
EARLY = 0.5


def compose(tools, folder):
    """Ten seconds of the tutorial's room, around the moment at which bob joins."""
    lines = ['tw-list --room "$ROOM" | tw-fetch --dir media --quiet | tw-probe | tw-offsets > room.jsonl']
    for name, flags, _ in FORMATS:
        words = ["tw-ffcmd", "--size", "320x240", "--speed", "fast", "--start", "15", "--end", str(15 + SECONDS)]
        words += [*flags, "-o", name, "--run", "room.jsonl"]
        lines.append(" ".join(words) + f" > {name}.job")
    environment = dict(os.environ, PATH=f"{tools}{os.pathsep}{os.environ['PATH']}")
    command = ["tw-loopback", "--media", str(tools / "loopback-media"), "--", "sh", "-euxc", "\n".join(lines)]
    subprocess.run(command, cwd=folder, env=environment, check=True)


class Handler(http.server.SimpleHTTPRequestHandler):
    """The page, the files with ranges, and files that stop half-way for a while."""

    protocol_version = "HTTP/1.1"

    def __init__(self, *args, state, **kwargs):
        self.state = state
        super().__init__(*args, **kwargs)

    def log_message(self, *_):
        pass

    def answer(self, body, kind):
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        if self.path == "/":
            self.answer((HERE / "play.html").read_bytes(), "text/html")
        elif self.path == "/list":
            self.answer(json.dumps([name for name, *_ in FORMATS]).encode(), "application/json")
        elif match := re.fullmatch(r"/(early|whole)/([\w.-]+)", self.path):
            self.media(match[2], match[1] == "early")
        else:
            self.send_error(404)

    def do_POST(self):
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.path == "/release":
            self.state["release"].set()
        elif self.path == "/results":
            self.state["results"] = json.loads(body)
            self.state["done"].set()
        self.answer(b"", "text/plain")

    def media(self, name, early):
        data = (self.state["folder"] / name).read_bytes()
        first, last = 0, len(data) - 1
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        if asked:
            first = int(asked[1])
            last = min(last, int(asked[2] or last))
        self.send_response(206 if asked else 200)
        if asked:
            self.send_header("Content-Range", f"bytes {first}-{last}/{len(data)}")
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("Content-Type", "video/mp4" if name.endswith("mp4") else "video/webm")
        self.send_header("Content-Length", str(last - first + 1))
        self.end_headers()
        try:
            if early:
                held = int(len(data) * EARLY)
                if first < held:
                    self.wfile.write(data[first:held])
                    self.wfile.flush()
                    first = held
                self.state["release"].wait(60)
            self.wfile.write(data[first : last + 1])
        except OSError:
            pass  # the page has seen enough


def play(folder):
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
    if not chromium:
        sys.exit("play.py: no chromium: install it, or name it in CHROMIUM")
    state = {"folder": folder, "release": threading.Event(), "done": threading.Event(), "results": []}
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, state=state))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    # Processes of the browser that outlive it may still write there.
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        browser = subprocess.Popen(
            [
                chromium, "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run",
                "--autoplay-policy=no-user-gesture-required", f"--user-data-dir={profile}",
                f"http://127.0.0.1:{server.server_address[1]}/",
            ],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        came = state["done"].wait(600)
        browser.terminate()
        browser.wait()
    return state["results"] if came else sys.exit("play.py: the browser gave no results")


def wrong(result):
    """What isn't as it should be."""
    if "error" in result:
        return [result["error"]]
    checks = {
        "duration": abs(result["duration"] - SECONDS) < 0.1,
        "size": (result["width"], result["height"]) == (320, 240),
        "seekable": result["seekable"] > SECONDS - 0.1,
        "middle": abs(result["middle"]["at"] - SECONDS / 2) < 0.05 and result["middle"]["spread"] > 5,
        "end": abs(result["end"]["at"] - SECONDS) < 0.2 and result["end"]["spread"] > 5,
        "back": result["back"]["spread"] > 5,
        "plays to its end": result["ended"] > SECONDS - 0.2,
        "sound": result["sound"]["peak"] > 0.05 and abs(result["sound"]["duration"] - SECONDS) < 0.1,
    }
    return [name for name, holds in checks.items() if not holds]


def main():
    tools = pathlib.Path(sys.argv[1]).resolve()
    failed = False
    with tempfile.TemporaryDirectory() as folder:
        compose(tools, pathlib.Path(folder))
        results = play(pathlib.Path(folder))
    for result, (name, _, plays) in zip(results, FORMATS):
        faults = wrong(result)
        failed |= plays and bool(faults)
        verdict = "plays" if not faults else ("WRONG: " if plays else "not played here: ") + ", ".join(faults)
        print(f"{name:16} {verdict}")
        print("   ", json.dumps({key: value for key, value in result.items() if key != "name"}))
    sys.exit(failed)


if __name__ == "__main__":
    main()
