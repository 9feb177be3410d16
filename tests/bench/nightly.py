"""The model of what a night of rooms costs, fitted on three and checked on twenty.

CPU seconds of a room = minutes × (frames + people × reading) + start
"""

import random
import shutil

from measure import race, run
from rooms import ROOM_SID, people

SIZE = ["--size", "640x480"]


def a_night_of(rooms, folder):
    """Composes rooms in one run, as a night does: the same recordings may be in several."""
    lines, night = folder / "night.jsonl", folder / "night"
    with open(lines, "w", encoding="utf-8") as out:
        for i, room in enumerate(rooms):
            out.write(room.records.read_text().replace(ROOM_SID, f"RM{i:032x}"))
    shutil.rmtree(night, ignore_errors=True)
    cost = run(["tw-ffcmd", "-q", "--run", "-o", night / "{room_sid}.webm", *SIZE, lines])
    written = sum(file.stat().st_size for file in night.glob("RM*.webm")) / 1e6
    shutil.rmtree(night)
    return cost, written


def each_of_four(room, folder):
    """What a room takes beside others like it."""
    return lambda: a_night_of([room] * 4, folder)[0]


def section(folder, report):
    few, short, many = people(folder, 2, 20), people(folder, 2, 10), people(folder, 6, 20)
    few_cpu, short_cpu, many_cpu = (cost.cpu / 4 for cost in race(2, *(each_of_four(room, folder) for room in (few, short, many))))
    reading = (many_cpu - few_cpu) / 4 * 3
    per_minute = (few_cpu - short_cpu) * 6
    frames = per_minute - 2 * reading
    start = few_cpu - per_minute / 3
    name = "A night of rooms (docs/scaling.md)"
    fitted = f"frames {frames:.1f}, reading {reading:.1f} CPU s a minute; start {start:.2f} CPU s"
    report.row(name, "640x480, 30 fps, vp8", "", fitted, None)

    choose = random.Random(1)
    rooms = [(choose.randint(1, 6), choose.choice((8, 12, 16, 20))) for _ in range(20)]
    expected = sum(seconds / 60 * (frames + count * reading) + start for count, seconds in rooms)
    placed = [people(folder, count, seconds) for count, seconds in rooms]
    read = sum(path.stat().st_size for room in placed for path in [*room.videos, *room.audios]) / 1e6
    mine, written = a_night_of(placed, folder)
    minutes = sum(count * seconds for count, seconds in rooms) / 60
    ratio = mine.cpu / expected
    report.row(
        name, f"20 rooms, {minutes:.1f} participant-minutes: measured to expected CPU", "0.8 to 1.25",
        f"{ratio:.2f} ({mine.cpu:.1f} s; {mine.wall:.1f} s of wall time; {read:.1f} MB read, {written:.1f} MB written)",
        0.8 <= ratio <= 1.25,
    )  # fmt: skip
