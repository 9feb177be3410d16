#!/bin/bash
# What tw-probe reads, with ffprobe alone, one file after the other: probe.sh FILE TIMES
set -euo pipefail
for _ in $(seq "$2"); do
    "${TW_FFPROBE:-ffprobe}" -v error -show_format -show_streams -show_packets -of json "$1"
done >/dev/null
