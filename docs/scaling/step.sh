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
trap 'rm -f -- "$part"' EXIT
mapfile -d '' argv < <(jq -j '.argv[] + "\u0000"' <<<"$step")
"${argv[@]:0:${#argv[@]}-1}" "file:$part" </dev/null
# On a full disk, ffmpeg up to 5.1 may end well; a file whose end wasn't written has no duration.
case $("${TW_FFPROBE:-ffprobe}" -v error -show_entries format=duration -of default=nw=1:nk=1 "file:$part") in
    [0-9]*) ;;
    *) echo "$output: not all of it was written: is the disk full?" >&2; exit 1 ;;
esac
mv -f -- "$part" "$output"
