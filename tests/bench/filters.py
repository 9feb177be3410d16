"""The filters, each against the usual way to do the same."""

import base64
import json
import os
import subprocess
import sys
import urllib.request
from contextlib import contextmanager
from pathlib import Path

from measure import race, run
from rooms import camera, placed

PEERS = Path(__file__).parent / "peers"
# As Twilio writes them, 750 bytes each.
RECORDS, PER_ROOM = 400_000, 8


def records(folder):
    """400,000 recordings in 50,000 rooms, the rooms one after the other."""
    file = folder / "records.jsonl"
    if file.exists():
        return file
    account = "AC" + "5" * 32
    with open(file, "w", encoding="utf-8") as out:
        for i in range(RECORDS):
            room, own = i // PER_ROOM, i % PER_ROOM
            sid, kind = f"RT{i:032x}", ("audio", "video")[own % 2]
            out.write(json.dumps({
                "account_sid": account, "status": "completed", "date_created": "2026-01-15T09:00:00Z",
                "date_updated": "2026-01-15T09:10:00Z", "date_deleted": None, "sid": sid,
                "source_sid": f"MT{i:032x}", "size": 2091016 + i, "url": f"https://video.twilio.com/v1/Recordings/{sid}",
                "type": kind, "duration": 140, "container_format": ("mka", "mkv")[own % 2], "codec": ("opus", "VP8")[own % 2],
                "track_name": f"{kind}-of-person-{own // 2}", "offset": 163481005731 + own,
                "grouping_sids": {"room_sid": f"RM{room:032x}", "participant_sid": f"PA{i // 2:032x}"},
                "media_external_location": None, "encryption_key": None,
                "links": {"media": f"https://video.twilio.com/v1/Recordings/{sid}/Media"},
                "path": f"media/{sid}.mkv", "bytes": 2091016 + i,
                "start_time_ms": 1564 + (i * 7919) % 60000, "end_time_ms": 142242, "duration_ms": 140678,
            }, separators=(",", ":")) + "\n")  # fmt: skip
    return file


def offsets(folder, report):
    section = "tw-offsets, 400,000 records"
    file = records(folder)
    size = file.stat().st_size / 1e6
    out = folder / "out.jsonl"

    def ours(*args):
        def offsets():
            # Each into a new file, as jq: the disk isn't to be at work on the last one still.
            out.unlink(missing_ok=True)
            return run(["tw-offsets", *args, file], stdout=out)

        return offsets

    jq = lambda: run(["jq", "-c", "-n", "-f", PEERS / "offsets.jq", file], stdout=folder / "jq.jsonl")
    duckdb = lambda: run([sys.executable, PEERS / "offsets_duckdb.py", file, folder / "duckdb.jsonl"])
    has_duckdb = subprocess.run([sys.executable, "-c", "import duckdb"], capture_output=True).returncode == 0
    mine, grouped = race(3, ours(), ours("--grouped"))
    other = jq()
    same = run_same(out, folder / "jq.jsonl")
    report.row(section, f"to jq ({size:.0f} MB; same offsets: {same})", "≥ 20×", f"{other.wall / mine.wall:.1f}× ({other.wall:.1f} s → {mine.wall:.2f} s)", other.wall / mine.wall >= 20 and same == "yes")
    if has_duckdb:
        mine, other = race(3, ours(), duckdb)
        report.row(section, "to DuckDB's read_json and a window function", "≥ 2×", f"{other.wall / mine.wall:.1f}× ({other.wall:.2f} s → {mine.wall:.2f} s)", other.wall / mine.wall >= 2)
    else:
        report.note("DuckDB isn't there (`pip install duckdb`), so that tw-offsets wasn't compared with it.")
    report.row(section, "memory to the input's size", "≤ 1.2", f"{mine.memory / size:.2f} ({mine.memory:.0f} MB)", mine.memory <= 1.2 * size)
    report.row(section, "memory with --grouped", "< 20 MB", f"{grouped.memory:.1f} MB ({grouped.wall:.2f} s)", grouped.memory < 20)
    for name in ("out.jsonl", "jq.jsonl", "duckdb.jsonl"):
        (folder / name).unlink(missing_ok=True)


def run_same(ours, theirs):
    """Whether the first thousands of lines say the same."""
    columns = ("sid", "addition_ms", "reference_ms", "relative_offset_ms")
    with open(ours) as a, open(theirs) as b:
        for _, x, y in zip(range(20_000), a, b):
            x, y = json.loads(x), json.loads(y)
            if [x[c] for c in columns] != [y[c] for c in columns]:
                return "no"
    return "yes"


@contextmanager
def twilio(folder, *args):
    """A Twilio on loopback; its environment."""
    server = subprocess.Popen(["tw-loopback", "--media", folder / "twilio", "--json", *args], stdout=subprocess.PIPE)
    try:
        yield {**os.environ, **json.loads(server.stdout.readline())}
    finally:
        server.terminate()
        server.wait()


def listing(folder, report):
    with twilio(folder, "--recordings", "10000") as env:
        ours = lambda: run(["tw-list", "-q", "--room", env["BIG_ROOM"], "--page-size", "100"], env=env, stdout=folder / "list.jsonl")
        pages = folder / "pages.curl"
        pages.write_text("".join(f'url = "{page}"\n' for page in page_addresses(env)))
        curl = lambda: run(["bash", PEERS / "list.sh", pages], env=env, stdout=folder / "pages.json")
        mine, other = race(15, ours, curl)
        count = sum(1 for _ in open(folder / "list.jsonl"))
        report.row("tw-list, 10,000 recordings", f"to curl, page after page ({count} lines)", "no slower", f"{mine.wall:.2f} s (curl: {other.wall:.2f} s)", mine.wall <= other.wall and count == 10_000)


def page_addresses(env):
    """Of all pages, for curl: it can't follow them by itself."""
    page = f"{env['TWILIO_BASE_URL']}/v1/Recordings?GroupingSid={env['BIG_ROOM']}&PageSize=100"
    login = base64.b64encode(f"{env['TWILIO_ACCOUNT_SID']}:{env['TWILIO_AUTH_TOKEN']}".encode()).decode()
    while page:
        yield page
        request = urllib.request.Request(page, headers={"Authorization": f"Basic {login}"})
        with urllib.request.urlopen(request) as answer:
            page = json.load(answer)["meta"]["next_page_url"]


def fetching(folder, report):
    media = folder / "5MB.mkv"
    media.write_bytes(os.urandom(1 << 20) * 5)
    with twilio(folder, "--recordings", "200", "--recording-media", str(media)) as env:
        lines = folder / "fetch.jsonl"
        run(["tw-list", "-q", "--room", env["BIG_ROOM"]], env=env, stdout=lines)
        fetched = folder / "fetched"

        def ours():
            run(["rm", "-rf", fetched])
            return run(["tw-fetch", "-q", "--jobs", "8", "--dir", fetched, lines], env=env)

        def curl():
            run(["rm", "-rf", fetched])
            return run(["bash", PEERS / "fetch.sh", lines, fetched], env=env)

        mine, other = race(3, ours, curl)
        run(["rm", "-rf", fetched])
        section = "tw-fetch --jobs 8, 200 files of 5 MB"
        report.row(section, "throughput to curl --parallel's", "≥ 0.95", f"{other.wall / mine.wall:.2f} ({1048.6 / mine.wall:.0f} MB/s)", other.wall / mine.wall >= 0.95)
        report.row(section, "memory", "< 50 MB", f"{mine.memory:.0f} MB (curl: {other.memory:.0f} MB)", mine.memory < 50)


def probing(folder, report):
    minutes, count = 10, 20
    file = placed(camera(folder, 1, 20), 1564, minutes * 60, folder / "ten-minutes.mkv")
    lines = folder / "probe.jsonl"
    lines.write_text("".join(json.dumps({"sid": f"RT{i}", "type": "video", "path": str(file)}) + "\n" for i in range(count)))
    ours = lambda: run(["tw-probe", "--jobs", "2", lines])
    plain = lambda: run(["bash", PEERS / "probe.sh", file, str(count)])
    mine, other = race(3, ours, plain)
    section = f"tw-probe --jobs 2, {count} files of {minutes} min"
    report.row(section, "CPU to plain ffprobe's", "≤ 1", f"{mine.cpu / other.cpu:.2f} ({mine.cpu:.2f} s, ffprobe: {other.cpu:.2f} s)", mine.cpu <= other.cpu)
    report.row(section, "wall time to plain ffprobe's", "near 0.5 (≤ 0.6)", f"{mine.wall / other.wall:.2f}", mine.wall <= 0.6 * other.wall)


def starting(folder, report):
    """CPU of a tool that starts, hands on one record and ends. The record is marked
    where a tool would start ffprobe or ask the network."""
    marked = folder / "marked.jsonl"
    record = {"sid": "RT1", "type": "audio", "offset": 1, "track_name": "a", "start_time_ms": 5, "path": "a.mka",
              "end_time_ms": 50, "duration_ms": 45, "grouping_sids": {"room_sid": "RM1"}}  # fmt: skip
    marked.write_text(json.dumps(record | {"error": {"tool": "x", "kind": "x", "message": "x"}}) + "\n")
    plain = folder / "plain.jsonl"
    plain.write_text(json.dumps(record) + "\n")
    run(["tw-offsets", "-q", plain], stdout=folder / "placed.jsonl")
    env = {**os.environ, "TWILIO_ACCOUNT_SID": "AC" + "0" * 32, "TWILIO_AUTH_TOKEN": "x"}
    commands = [
        ("tw-list", "tw-list --rooms -", marked),
        ("tw-fetch", "tw-fetch", marked),
        ("tw-probe", "tw-probe", marked),
        ("tw-offsets", "tw-offsets", plain),
        ("tw-ffcmd", "tw-ffcmd", folder / "placed.jsonl"),
    ]
    for tool, command, file in commands:
        # Fifty in a row: one alone is less than the clock can tell. The shell's own cost is taken off.
        loop = lambda what: lambda: run(f"for i in $(seq 50); do {what} <'{file}' >/dev/null 2>&1 || [ $? = 1 ]; done", env=env)
        mine, nothing = race(3, loop(command), loop("/bin/true"))
        each = (mine.cpu - nothing.cpu) / 50 * 1000
        report.row("Starting", f"{tool}: one record, CPU", "≤ 10 ms", f"{each:.1f} ms", each <= 10)
