"""Running a command and saying what it took: wall time, CPU time, memory."""

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass

# A child's ru_maxrss begins with this very process, from which it was forked: GNU
# time, which is small, tells what the command itself had. It isn't there everywhere.
TIME = shutil.which("time") if sys.platform == "linux" else None


@dataclass
class Cost:
    """What a command and all that it started took."""

    wall: float  # seconds
    cpu: float  # seconds, user and system, of the whole family
    memory: float  # MB, of its largest process


def run(command, stdin=None, stdout=None, env=None, cwd=None):
    """Runs a command (a list of words, or a line for bash) that has to succeed."""
    if isinstance(command, str):
        command = ["bash", "-euo", "pipefail", "-c", command]
    words = [str(word) for word in command]
    source = open(stdin, "rb") if stdin else subprocess.DEVNULL
    sink = open(stdout, "wb") if stdout else subprocess.DEVNULL
    peak = tempfile.NamedTemporaryFile()
    if TIME:
        words = [TIME, "-q", "-f", "%M", "-o", peak.name, *words]
    begun = time.monotonic()
    child = subprocess.Popen(words, stdin=source, stdout=sink, stderr=subprocess.PIPE, env=env, cwd=cwd)
    said = child.stderr.read()
    _, status, usage = os.wait4(child.pid, 0)
    wall = time.monotonic() - begun
    child.returncode = os.waitstatus_to_exitcode(status)
    for file in (source, sink):
        if file is not subprocess.DEVNULL:
            file.close()
    if child.returncode:
        sys.exit(f"{' '.join(words)[:2000]}\nended with {child.returncode}: {said.decode(errors='replace')[-2000:]}")
    # Linux counts ru_maxrss in kilobytes, the BSDs and macOS in bytes.
    unit = 1e6 if sys.platform == "darwin" else 1e3
    memory = int(peak.read()) if TIME else usage.ru_maxrss
    return Cost(wall, usage.ru_utime + usage.ru_stime, memory / unit)


def race(rounds, *contestants):
    """Runs each in turn, `rounds` times over, so that a busy moment hits all of
    them; the median of each."""
    costs = [[] for _ in contestants]
    for _ in range(rounds):
        for contestant, own in zip(contestants, costs):
            own.append(contestant())
    median = lambda own, what: statistics.median(getattr(cost, what) for cost in own)
    return [Cost(median(own, "wall"), median(own, "cpu"), median(own, "memory")) for own in costs]


def said(command):
    """The first line that a command says, for the list of versions."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError:
        return None
    lines = (done.stdout or done.stderr).splitlines()
    return lines[0].strip() if lines else None
