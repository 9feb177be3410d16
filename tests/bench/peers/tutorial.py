#!/usr/bin/env python3
"""The command of Twilio's tutorial "Manually mixing Track Recording files".

For each participant: scale and pad to the cell, black before, `concat`; the cells
side by side with `hstack`; sound filled, delayed, mixed; the encoders as they are
by default. More than two participants: rows of `hstack`, joined by `vstack`.

    tutorial.py OUTPUT COLUMNS CELL_WIDTH CELL_HEIGHT VIDEO,MS... AUDIO,MS...

prints it: the recordings with the time of each one's beginning, in milliseconds.
"""

import os
import shlex
import sys

FFMPEG = os.environ.get("TW_FFMPEG", "ffmpeg")

# The tutorial's own options. Its mp4 form has libfdk_aac, which distributions don't
# ship, so that ffmpeg's own aac stands here.
ENCODERS = {
    "webm": ["-acodec", "libopus", "-vcodec", "libvpx"],
    "mp4": ["-acodec", "aac", "-vcodec", "libx264", "-vsync", "2"],
}


def picture(videos, columns, width, height):
    """The graph up to [video]; `videos` are delays in ms of the inputs from 0 on."""
    chains = []
    for i, delay in enumerate(videos):
        chains.append(
            f"[{i}]scale={width}:-2,pad={width}:{height}:(ow-iw)/2:(oh-ih)/2[vs{i}],"
            f"color=black:size={width}x{height}:duration={delay / 1000:.3f}[b{i}],"
            f"[b{i}][vs{i}]concat[c{i}]"
        )
    rows = [range(i, i + columns) for i in range(0, len(videos), columns)]
    names = ["video"] if len(rows) == 1 else [f"row{i}" for i in range(len(rows))]
    for row, name in zip(rows, names):
        chains.append("".join(f"[c{i}]" for i in row) + f"hstack=inputs={columns}[{name}]")
    if len(rows) > 1:
        chains.append("".join(f"[{name}]" for name in names) + f"vstack=inputs={len(rows)}[video]")
    return ";".join(chains)


def sound(audios, first):
    """The graph up to [audio]; the inputs count from `first`."""
    chains = []
    for i, delay in enumerate(audios):
        moved = f",adelay={delay}|{delay}" if delay else ""
        chains.append(f"[{first + i}]aresample=async=1{moved}[a{i}]")
    return ";".join(chains) + ";" + "".join(f"[a{i}]" for i in range(len(audios))) + f"amix=inputs={len(audios)}[audio]"


def inputs(videos, audios):
    return [word for path, _ in [*videos, *audios] for word in ("-i", str(path))]


def command(videos, audios, columns, width, height, output):
    """The whole command. `videos` and `audios`: (path, delay in ms)."""
    graph = picture([ms for _, ms in videos], columns, width, height) + ";" + sound([ms for _, ms in audios], len(videos))
    encoders = ENCODERS[str(output).rsplit(".", 1)[1]]
    maps = ["-map", "[video]", "-map", "[audio]"]
    return [FFMPEG, "-y", *inputs(videos, audios), "-filter_complex", graph, *maps, *encoders, str(output)]


if __name__ == "__main__":
    output, columns, width, height, *files = sys.argv[1:]
    placed = [(path, int(ms)) for path, ms in (file.rsplit(",", 1) for file in files)]
    half = len(placed) // 2
    print(shlex.join(command(placed[:half], placed[half:], int(columns), int(width), int(height), output)))
