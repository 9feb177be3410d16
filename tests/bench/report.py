"""The table: a row for each target, printed as it is measured, written at the end."""

import datetime
import os
import platform
import subprocess
from pathlib import Path

from measure import said


class Report:
    def __init__(self):
        self.rows = []
        self.notes = []

    def row(self, section, what, target, measured, reached):
        """`reached`: True, False, or None for a number without a target."""
        mark = {True: "yes", False: "**no**", None: ""}[reached]
        self.rows.append((section, what, target, measured, mark))
        print(f"{mark.strip('*'):4}{section}: {what}: {measured}" + (f" (target: {target})" if target else ""), flush=True)

    def note(self, text):
        self.notes.append(text)
        print(f"    {text}", flush=True)

    def write(self, path, versions):
        lines = [
            "# Benchmarks",
            "",
            "Written by `just bench`, which runs everything again on your machine in some minutes.",
            "What is compared, and how, stands in `tests/bench/`; the others' commands in `tests/bench/peers/`.",
            "Times are medians of runs taken in turn (the tutorial's and jq's: of one run); CPU is user and system time of a command and",
            "all that it starts, memory that of its largest process. Ratios are what counts: they",
            "say little when something else runs at the same time.",
            "",
            f"- {datetime.date.today()}, {os.cpu_count()} cores, {cpu_model()}, {platform.system()} {platform.machine()}",
        ]
        lines += [f"- load when it began: {self.load}"] if hasattr(self, "load") else []
        lines += [f"- {version}" for version in versions if version]
        section = None
        for name, what, target, measured, mark in self.rows:
            if name != section:
                section = name
                lines += ["", f"## {name}", "", "| what | measured | target | reached |", "|---|---|---|---|"]
            lines.append(f"| {what} | {measured} | {target} | {mark} |")
        lines += ["", *self.notes] if self.notes else []
        Path(path).write_text("\n".join(lines) + "\n")


def cpu_model():
    try:
        names = [line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")]
        return names[0]
    except (OSError, IndexError):
        return platform.processor() or "unknown processor"


def versions(python):
    """Of everything that was compared."""
    git = subprocess.run(["git", "describe", "--always", "--dirty"], capture_output=True, text=True, check=False)
    duckdb = said([python, "-c", "import duckdb; print('DuckDB', duckdb.__version__)"])
    curl = said(["curl", "--version"])
    return [
        f"tw {git.stdout.strip()}",
        said([os.environ.get("TW_FFMPEG", "ffmpeg"), "-version"]),
        said(["jq", "--version"]),
        duckdb if duckdb and duckdb.startswith("DuckDB") else None,
        " ".join(curl.split()[:2]) if curl else None,
    ]
