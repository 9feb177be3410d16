#!/usr/bin/env python3
"""Measures tw side by side with what one would use instead, and writes a table.

    run.py [--write FILE] [SECTION...]

The tools are taken from PATH; media are made once, in $TW_BENCH (default: the
system's folder for temporary files).
"""

import argparse
import os
import sys
import tempfile
from pathlib import Path

import composing
import filters
import nightly
from report import Report, versions

SECTIONS = {
    "tutorial": composing.against_the_tutorial,
    "limit": composing.against_the_limit,
    "growth": composing.as_work_grows,
    "speeds": composing.speeds,
    "nightly": nightly.section,
    "offsets": filters.offsets,
    "list": filters.listing,
    "fetch": filters.fetching,
    "probe": filters.probing,
    "start": filters.starting,
}


def main():
    flags = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    flags.add_argument("--write", metavar="FILE")
    flags.add_argument("sections", nargs="*", choices=[[], *SECTIONS], metavar="SECTION")
    flags = flags.parse_args()
    folder = Path(os.environ.get("TW_BENCH") or Path(tempfile.gettempdir()) / "tw-bench")
    folder.mkdir(parents=True, exist_ok=True)
    report = Report()
    report.load = f"{os.getloadavg()[0]:.1f}"
    if os.getloadavg()[0] > 0.5 * os.cpu_count():
        report.note("Something else ran on the machine at the same time: see the load above.")
    for name in flags.sections or SECTIONS:
        SECTIONS[name](folder, report)
        # After each: what has been measured isn't lost.
        if flags.write:
            report.write(flags.write, versions(sys.executable))
    composing.clean(folder)


if __name__ == "__main__":
    main()
