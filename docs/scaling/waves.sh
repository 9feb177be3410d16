#!/bin/bash
# Sorts steps into waves: waves.sh DIR < STEPS writes DIR/0, DIR/1 and DIR/2. The
# steps of a wave need only what earlier waves make: copies that can be sought in,
# sound, and parts that need no copy; then the other parts; then the joining.
set -euo pipefail
mkdir -p "$1"
cat >"$1/steps"
jq -c 'select(.needs == [])' "$1/steps" >"$1/0"
jq -c 'select(.needs != [] and (.argv | index("-filter_complex")))' "$1/steps" >"$1/1"
jq -c 'select(.needs != [] and (.argv | index("-filter_complex") | not))' "$1/steps" >"$1/2"
