"""Composing: against the tutorial's command, against the limit, as work grows."""

import shutil
import subprocess
import sys
from pathlib import Path

from measure import race, run
from rooms import FFMPEG, Room, microphone, people, placed, tutorial

sys.path.insert(0, str(Path(__file__).parent / "peers"))
import tutorial as peer

ONE_KEY_FRAME = (
    "The cameras' recordings have one key frame in 20 s: with 3 and more people, chunks would decode too much twice. One "
    "ffmpeg decodes ahead of what it draws then, or two share the cells of the picture (docs/encoders.md)."
)
# Every fourth frame: the mean hardly changes, the time does.
SAMPLED = "settb=1/1000,setpts=N,select='not(mod(n\\,4))'"


def ssim(inputs, graph, pad, result):
    """Of a result's frames against those that went into the encoder."""
    number = inputs.count("-i")
    compare = f"{graph};[{pad}]{SAMPLED}[a];[{number}:v]{SAMPLED}[b];[a][b]ssim"
    command = [FFMPEG, "-hide_banner", "-nostdin", "-copyts", *inputs, "-i", str(result), "-filter_complex", compare]
    done = subprocess.run([*command, "-f", "null", "-"], capture_output=True, text=True)
    found = [line for line in done.stderr.splitlines() if "SSIM" in line]
    if not found:
        sys.exit(f"no SSIM: {done.stderr[-2000:]}")
    return float(found[-1].split("All:")[1].split()[0])


def our_ssim(room, result, *args):
    """Of our result against the same composition before encoding."""
    job = room.job("-o", f"out{result.suffix}", *args)
    argv = job["argv"]
    inputs = argv[argv.index("-copyts") + 1 : argv.index("-filter_complex")]
    return ssim(inputs, job["filter_complex"] + ";[sound]anullsink", "picture", result)


def tutorial_ssim(room, columns, cell, result):
    """Of its result against its own composition before encoding: the same frames,
    written by the same command without loss, since ffmpeg drops some on the way
    whose times are too close."""
    videos = [delay for delay, _ in room.joined]
    graph, exact = peer.picture(videos, columns, *cell), result.with_suffix(".exact.mkv")
    lossless = ["-map", "[video]", "-c:v", "libx264", "-preset", "ultrafast", "-qp", "0", "-pix_fmt", "yuv420p"]
    recordings = peer.inputs(zip(room.videos, videos), [])
    run([FFMPEG, "-v", "error", "-nostdin", "-y", *recordings, "-filter_complex", graph, *lossless, exact])
    quality = ssim(["-i", str(exact)], "[0:v]null[video]", "video", result)
    exact.unlink()
    return quality


def ours(room, output, *args):
    return lambda: run(["tw-ffcmd", "-q", "-y", "--run", "-o", output, *args, room.records])


def theirs(room, columns, cell, output):
    videos = [(path, delay) for path, (delay, _) in zip(room.videos, room.joined)]
    audios = [(path, delay) for path, (_, delay) in zip(room.audios, room.joined)]
    command = peer.command(videos, audios, columns, *cell, output)
    return lambda: run(command)


def against_the_tutorial(folder, report):
    # Name, room, columns, cell (the canvas is 1024x768 throughout).
    rooms = [
        ("its own example, 40 s, 2 people", tutorial(folder), 2, (512, 768)),
        ("4 people, 20 s", people(folder, 4, 20), 2, (512, 384)),
        # 336 is the widest even third whose 4:3 picture is even too: the graph refuses others.
        ("9 people, 20 s", people(folder, 9, 20), 3, (336, 256)),
    ]
    section = "Against the tutorial's command"
    report.note(ONE_KEY_FRAME)
    for ending, times_wall, times_cpu in (("webm", 9, 6), ("mp4", 2.5, None)):
        for name, room, columns, cell in rooms:
            mine, other = folder / f"ours.{ending}", folder / f"tutorial.{ending}"
            size = ["--size", f"{columns * cell[0]}x{768}"]
            we, they = race(1, ours(room, mine, *size), theirs(room, columns, cell, other))
            again = ours(room, mine, *size)()
            wall, cpu = (we.wall + again.wall) / 2, (we.cpu + again.cpu) / 2
            what = f"{ending}, {name}"
            report.row(section, f"{what}: wall time", f"≥ {times_wall}×", f"{they.wall / wall:.1f}× ({they.wall:.1f} s → {wall:.1f} s)", they.wall / wall >= times_wall)
            reached = None if times_cpu is None else they.cpu / cpu >= times_cpu
            report.row(section, f"{what}: CPU time", f"≥ {times_cpu}×" if times_cpu else "", f"{they.cpu / cpu:.1f}× ({they.cpu:.1f} s → {cpu:.1f} s)", reached)
            mine_ssim, other_ssim = our_ssim(room, mine, *size), tutorial_ssim(room, columns, cell, other)
            report.row(section, f"{what}: SSIM", "≥ the tutorial's", f"{mine_ssim:.4f} (tutorial: {other_ssim:.4f})", mine_ssim >= other_ssim)
            mine_size, other_size = mine.stat().st_size / 1e3, other.stat().st_size / 1e3
            report.row(section, f"{what}: file", "≤ the tutorial's", f"{mine_size:.0f} kB (tutorial: {other_size:.0f} kB)", mine_size <= other_size)


def against_the_limit(folder, report):
    """Decoding every input once, and encoding the finished frames once, with all cores."""
    for count in (2, 9):
        room, raw = people(folder, count, 40), folder / "raw.nut"
        argv = room.job("-o", "out.webm")["argv"]
        split = argv.index("-filter_complex")
        graph = [*argv[argv.index("-copyts") + 1 : split + 2], "-map", "[picture]", "-map", "[sound]"]
        run([FFMPEG, "-v", "error", "-nostdin", "-y", "-copyts", *graph, "-c:v", "rawvideo", "-c:a", "pcm_s16le", raw])
        encoder = argv[argv.index("-c:v") : -1]
        everything = [FFMPEG, "-v", "error", "-nostdin"]
        for path in [*room.videos, *room.audios]:
            everything += ["-i", str(path)]
        maps = [word for i in range(2 * count) for word in ("-map", str(i))]
        decode = lambda: run([*everything, *maps, "-f", "null", "-"])
        encode = lambda: run([FFMPEG, "-v", "error", "-nostdin", "-y", "-i", raw, "-map", "0", *encoder, folder / "limit.webm"])
        mine, decoding, encoding = race(3, ours(room, folder / "ours.webm"), decode, encode)
        raw.unlink()
        ratio = mine.wall / (decoding.wall + encoding.wall)
        report.row(
            "Against the limit", f"{count} people, 40 s: wall time to that of decoding and encoding alone", "≤ 1.15",
            f"{ratio:.2f} ({mine.wall:.2f} s; {decoding.wall:.2f} s and {encoding.wall:.2f} s)", ratio <= 1.15,
        )  # fmt: skip


def as_work_grows(folder, report):
    section = "As work grows"
    counts, contestants = (2, 4, 9, 16), []
    for count in counts:
        room = people(folder, count, 20)
        words = [FFMPEG, "-v", "error", "-nostdin"]
        for path in [*room.videos, *room.audios]:
            words += ["-i", str(path)]
        maps = [word for i in range(2 * count) for word in ("-map", str(i))]
        decode = [*words, *maps, "-f", "null", "-"]
        contestants += [ours(room, folder / "ours.webm"), lambda decode=decode: run(decode)]
    # All in turn: what counts are differences, which a busy minute would upset.
    costs = race(5, *contestants)
    costs = list(zip(costs[::2], costs[1::2]))
    least, least_decoding = costs[0]
    for count, (mine, decoding) in zip(counts[1:], costs[1:]):
        more, allowed = mine.cpu - least.cpu, decoding.cpu - least_decoding.cpu
        report.row(
            section, f"20 s, {count} people instead of 2: more CPU", "≤ what decoding them costs",
            f"{more:.2f} s (decoding: {allowed:.2f} s; {mine.cpu:.2f} s in all)", more <= allowed,
        )  # fmt: skip
    short, long = long_room(folder, 10), long_room(folder, 60)
    small = ("--size", "320x120", "--fps", "10")
    ten, sixty = race(1, ours(short, folder / "ours.webm", *small), ours(long, folder / "ours.webm", *small))
    ratio = sixty.cpu / ten.cpu / 6
    report.row(section, "CPU per minute, a room of 60 min to one of 10 min", "the same (≤ 1.05)", f"{ratio:.2f} ({ten.cpu / 10:.2f} s a minute at 320x120, 10 fps; {sixty.memory:.0f} MB)", ratio <= 1.05)
    room = people(folder, 9)
    mine = ours(room, folder / "ours.webm", "--size", "1280x720")()
    report.row(section, "memory per process, 9 people at 1280x720", "≤ 200 MB", f"{mine.memory:.0f} MB", mine.memory <= 200)


def long_room(folder, minutes):
    """Two people for so long, small."""
    clip = folder / "small.mkv"
    if not clip.exists():
        source = "testsrc2=s=160x120:r=15:d=60"
        run([FFMPEG, "-v", "error", "-y", "-f", "lavfi", "-i", source, "-c:v", "libvpx", "-deadline", "realtime", "-cpu-used", "8", "-g", "900", clip])
    own = folder / f"long{minutes}"
    own.mkdir(exist_ok=True)
    for number in range(2):
        placed(clip, 1584, minutes * 60, own / f"{number}-video.mkv")
        placed(microphone(folder, 1, 20), 1564, minutes * 60, own / f"{number}-audio.mka")
    return Room(folder, own.name, minutes * 60, [(20, 0), (20, 0)])


def speeds(folder, report):
    """Every codec at every speed that ffmpeg at hand has."""
    room = people(folder, 2)
    listed = subprocess.run([FFMPEG, "-hide_banner", "-encoders"], capture_output=True, text=True).stdout
    for codec, encoders in (("vp8", "libvpx"), ("vp9", "libvpx-vp9"), ("av1", "libsvtav1"), ("h264", "libx264"), ("hevc", "libx265")):
        if not any(line.split()[1:2] == [encoders] for line in listed.splitlines()):
            continue
        for speed in ("fast", "balanced", "best"):
            args = ["--video-codec", codec, "--speed", speed]
            out = folder / "speed.mkv"
            cost = ours(room, out, *args)()
            quality = our_ssim(room, out, *args)
            report.row("Codecs and speeds", f"{codec}, {speed}", "", f"{cost.wall:.1f} s, CPU {cost.cpu:.1f} s, SSIM {quality:.4f}, {out.stat().st_size / 1e3:.0f} kB", None)


def clean(folder):
    for name in ("ours.webm", "ours.mp4", "tutorial.webm", "tutorial.mp4", "limit.webm", "speed.mkv"):
        (folder / name).unlink(missing_ok=True)
    shutil.rmtree(folder / ".ours.webm.parts", ignore_errors=True)
