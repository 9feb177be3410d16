#!/bin/bash
# The same as tw-fetch --jobs 8, with curl: fetch.sh RECORDS DIR. curl drops the
# credentials by itself when it is sent on to the storage host.
set -euo pipefail
mkdir -p "$2"
jq -r --arg base "$TWILIO_BASE_URL" --arg dir "$2" \
    '"url = \"\($base)/v1/Recordings/\(.sid)/Media\"\noutput = \"\($dir)/\(.sid).\(.container_format)\""' "$1" |
    curl -sSf --location --parallel --parallel-max 8 --parallel-immediate \
        -u "$TWILIO_ACCOUNT_SID:$TWILIO_AUTH_TOKEN" --config -
