#!/usr/bin/env python3
"""The model of what a night of rooms costs, fitted on four and checked on twenty.

CPU seconds of a room = minutes × (frames + people × reading) + start
"""

import os
import random
import subprocess
import tempfile
from pathlib import Path

from measure import run
from rooms import people

SIZE = ["--size", "640x480"]


def cost(room, folder):
    return run(["tw-ffcmd", "-q", "-y", "--run", "-o", folder / "night.webm", *SIZE, room.records]).cpu


def main():
    folder = Path(os.environ.get("TW_BENCH") or Path(tempfile.gettempdir()) / "tw-bench")
    few, short, many = people(folder, 2, 20), people(folder, 2, 10), people(folder, 6, 20)
    costs = {room: cost(room, folder) for room in (few, short, many)}
    reading = (costs[many] - costs[few]) / 4 * 3
    per_minute = (costs[few] - costs[short]) * 6
    frames = per_minute - 2 * reading
    start = costs[few] - per_minute / 3
    print(f"640x480, 30 fps, vp8: frames {frames:.1f}, reading {reading:.1f} CPU s a minute; start {start:.2f} CPU s")

    choose = random.Random(1)
    rooms = [(choose.randint(1, 6), choose.choice((8, 12, 16, 20))) for _ in range(20)]
    expected = sum(seconds / 60 * (frames + count * reading) + start for count, seconds in rooms)
    lines = folder / "night.jsonl"
    with open(lines, "wb") as out:
        for i, (count, seconds) in enumerate(rooms):
            text = people(folder, count, seconds).records.read_text()
            # The same recordings, but a room of its own.
            out.write(text.replace("RM" + "0" * 31 + "1", f"RM{i:032x}").encode())
    night = folder / "night"
    subprocess.run(["rm", "-rf", night], check=True)
    measured = run(["tw-ffcmd", "-q", "--run", "-o", night / "{room_sid}.webm", *SIZE, lines])
    files = list(night.glob("RM*.webm"))
    size = sum(file.stat().st_size for file in files) / 1e6
    read = sum(path.stat().st_size for count, seconds in rooms for path in people_files(folder, count, seconds)) / 1e6
    minutes = sum(seconds for _, seconds in rooms) / 60
    print(
        f"20 rooms, {minutes:.1f} min, {sum(c * s for c, s in rooms) / 60:.1f} participant-minutes: expected {expected:.1f} CPU s, "
        f"measured {measured.cpu:.1f} ({measured.cpu / expected:.2f}×), {measured.wall:.1f} s; "
        f"{read:.1f} MB read, {size:.1f} MB written, {len(files)} files"
    )
    subprocess.run(["rm", "-rf", night], check=True)


def people_files(folder, count, seconds):
    room = people(folder, count, seconds)
    return [*room.videos, *room.audios]


if __name__ == "__main__":
    main()
