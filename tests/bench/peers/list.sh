#!/bin/bash
# The same as tw-list, with curl: list.sh PAGES. It is given the addresses of all
# pages beforehand, and fetches one after the other over one connection.
set -euo pipefail
curl -sSf -u "$TWILIO_ACCOUNT_SID:$TWILIO_AUTH_TOKEN" --config "$1"
