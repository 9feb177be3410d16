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
mv -f -- "$part" "$output"
