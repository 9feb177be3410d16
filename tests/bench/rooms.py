"""Rooms to compose: recordings like those of cameras and microphones, and records.

A camera is a textured still under a shaky hand, a head that sways before it, and
a sensor's noise, sent as WebRTC sends it: VP8 in real time at 800 kb/s, one key
frame. Flat test pictures would flatter every encoder.
"""

import json
import os
import subprocess
from pathlib import Path

FFMPEG = os.environ.get("TW_FFMPEG", "ffmpeg")
ROOM_SID = "RM" + "0" * 31 + "1"


def ffmpeg(*words):
    subprocess.run([FFMPEG, "-v", "error", "-nostdin", "-y", *map(str, words)], check=True)


def camera(folder, seed, seconds):
    """A camera's recording, from time 0 on."""
    file = folder / f"camera{seed}-{seconds}.mkv"
    if file.exists():
        return file
    texture = (
        f"mandelbrot=s=1280x960:start_scale=0.{seed + 1}3:start_x=-0.743643887:start_y=-0.1318259042{seed}"
        ":inner=mincol:maxiter=300"
    )
    back, head = folder / f"back{seed}.png", folder / f"head{seed}.png"
    look = f"hue=h={seed * 47}:s=0.5,gblur=1.2,eq=brightness=-0.05:contrast=0.8,crop=720:540"
    ffmpeg("-f", "lavfi", "-i", texture, "-frames:v", 1, "-vf", look, back)
    face = (
        f"scale=360:440,hue=h={20 + seed * 9}:s=0.4,gblur=2,format=rgba,"
        "geq=r='r(X,Y)*0.5+90':g='g(X,Y)*0.4+60':b='b(X,Y)*0.3+50':a='255*lt(hypot((X-180)/170,(Y-220)/210),1)'"
    )
    ffmpeg("-f", "lavfi", "-i", texture, "-frames:v", 1, "-vf", face, head)
    graph = (
        f"[0]format=yuv420p,loop=-1:1,fps=30,crop=640:480:x='40+12*sin(t*0.7+{seed})':y='30+8*sin(t*1.1)'[back];"
        f"[1]format=yuva420p,loop=-1:1,fps=30,rotate=a='0.06*sin(t*1.7+{seed})':c=none[head];"
        f"[back][head]overlay=x='140+30*sin(t*0.9+{seed})':y='30+14*sin(t*2.3)',"
        "noise=c0s=5:c0f=t,format=yuv420p"
    )
    encoder = "-c:v libvpx -deadline realtime -cpu-used 8 -g 100000 -b:v 800k -maxrate 900k -bufsize 600k".split()
    part = file.with_suffix(".part")
    ffmpeg("-i", back, "-i", head, "-filter_complex", graph, "-t", seconds, *encoder, "-f", "matroska", part)
    part.rename(file)
    return file


def microphone(folder, seed, seconds):
    """A microphone's recording, from time 0 on: syllables of noise around a pitch."""
    file = folder / f"microphone{seed}-{seconds}.mka"
    if not file.exists():
        sound = f"aevalsrc='(0.2*sin({600 + seed * 150}*t)+0.1*(random(0)-0.5))*max(0,sin(7*t+{seed}))':s=48000:d={seconds}"
        ffmpeg("-f", "lavfi", "-i", sound, "-c:a", "libopus", "-b:a", "32k", "-f", "matroska", file)
    return file


def placed(file, start_ms, seconds, out):
    """A recording whose first packet has this time; longer than the source: it starts over."""
    if not out.exists():
        ffmpeg(
            "-stream_loop", -1, "-i", file, "-t", seconds, "-c", "copy", "-f", "matroska",
            "-output_ts_offset", f"{start_ms / 1000:.3f}", "-avoid_negative_ts", "disabled", out,
        )  # fmt: skip
    return out


class Room:
    """Recordings with their places, in ms: picture and sound of each participant."""

    def __init__(self, folder, name, seconds, joined):
        """`joined`: for each participant the time of the first picture and the first sound."""
        self.folder, self.seconds, self.joined = folder / name, seconds, joined
        self.folder.mkdir(parents=True, exist_ok=True)
        # Two cameras take turns: to make as many as there are people would take too long.
        self.videos, self.audios = [], []
        records = []
        for number, places in enumerate(joined):
            for kind, place in zip(("video", "audio"), places):
                source = (camera if kind == "video" else microphone)(folder, 1 + number % 2, 20)
                ending = "mkv" if kind == "video" else "mka"
                out = self.folder / f"{number}-{kind}.{ending}"
                # Start times as a recorder's, counted from the room's beginning.
                path = placed(source, 1564 + place, seconds - place / 1000, out)
                (self.videos if kind == "video" else self.audios).append(path)
                records.append({
                    "sid": f"RT{number * 2 + (kind == 'audio'):032x}", "type": kind, "offset": 163481005731,
                    "track_name": f"person{number}", "container_format": ending, "path": str(path),
                    "grouping_sids": {"room_sid": ROOM_SID, "participant_sid": f"PA{number:032x}"},
                })  # fmt: skip
        self.records = self.folder / "room.jsonl"
        text = "".join(json.dumps(record) + "\n" for record in records)
        probed = subprocess.run(["tw-probe"], input=text.encode(), capture_output=True, check=True).stdout
        offsets = subprocess.run(["tw-offsets"], input=probed, capture_output=True, check=True).stdout
        self.records.write_bytes(offsets)

    def job(self, *args):
        """What tw-ffcmd says of it."""
        words = ["tw-ffcmd", *args, self.records]
        return json.loads(subprocess.run(words, capture_output=True, check=True).stdout)


def tutorial(folder):
    """The room of Twilio's tutorial, its delays to the millisecond."""
    return Room(folder, "tutorial", 40, [(20, 0), (19251, 19226)])


def people(folder, count, seconds=10):
    """A room into which people come one after the other, a tenth of a second apart."""
    return Room(folder, f"people{count}-{seconds}", seconds, [(100 * i + 20, 100 * i) for i in range(count)])
