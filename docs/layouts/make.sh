#!/bin/sh
# Makes the picture of every layout in this folder: six people from the made-up
# rooms, put into one room, at 2.5 s. Run by `just docs`, with the tools on PATH.
set -eu
layouts=$(cd "$(dirname "$0")" && pwd)
cd "${1:?a folder to work in}"

tw-list --room "$ROOM" > list.jsonl
for room in $ROOMS; do tw-list --room "$room"; done >> list.jsonl
tw-fetch --dir media list.jsonl | tw-probe | tw-offsets |
    # Everybody at once, whenever and wherever he was.
    jq -c --arg room "$ROOM" 'select(.track_name | IN("alice", "bob", "carol", "dave", "erin", "frank"))
        | .grouping_sids.room_sid = $room | .relative_offset_ms = 0' > six.jsonl
# A board of nine fields has five that may be used.
grep -v '"track_name":"frank"' six.jsonl > five.jsonl

for layout in "$layouts"/*.json; do
    name=$(basename "$layout" .json)
    room=six.jsonl
    [ "$name" != chess-board ] || room=five.jsonl
    tw-ffcmd --quiet --layout "@$layout" --preview "$layouts/$name.png" --at 2.5 "$room" > /dev/null
done
