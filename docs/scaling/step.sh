#!/bin/bash
# Makes one step of a room: a line of `tw-ffcmd --chunk SECONDS`, on stdin.
#
# What is there already is not made again, and a file has its name only when it is
# whole: that is all that a rerun after a failure needs.
set -euo pipefail
IFS= read -r step
output=$(jq -r .output <<<"$step")
[ ! -e "$output" ] || exit 0
folder=$(dirname -- "$output") name=$(basename -- "$output")
mkdir -p -- "$folder"
# A name of our own: two hosts that are given the same step don't meet.
part="$folder/.$name.$(hostname).$$.part"
# Elsewhere: it has to hold what is said when this disk is full.
log=$(mktemp)
trap 'rm -f -- "$part" "$log"' EXIT
mapfile -d '' argv < <(jq -j '.argv[] + "\u0000"' <<<"$step")
# On a full disk, ffmpeg up to 5.1 may end well all the same.
status=0
"${argv[@]:0:${#argv[@]}-1}" "file:$part" </dev/null 2>"$log" || status=$?
cat "$log" >&2
if [ $status = 0 ] && grep -q 'No space left on device\|^Error writing trailer of \|^Error closing file ' "$log"; then
    echo "$output: not all of it was written" >&2
    status=1
fi
[ $status = 0 ] || exit $status
mv -f -- "$part" "$output"
