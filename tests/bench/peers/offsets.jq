# The same as tw-offsets, in jq: the least addition of each room is its reference.
[inputs | .addition_ms = .offset + .start_time_ms]
| group_by(.grouping_sids.room_sid)[]
| (map(.addition_ms) | min) as $reference
| .[]
| .reference_ms = $reference
| .relative_offset_ms = .addition_ms - $reference
