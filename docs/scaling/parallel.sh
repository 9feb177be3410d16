#!/bin/bash
# Rooms over several hosts with GNU parallel: parallel.sh LOGINS < STEPS
#
# LOGINS as --sshlogin takes them: host1,host2. All hosts have this folder, under
# this path, and ffmpeg and jq; ten rooms or ten thousand are the same to it.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
waves=$(mktemp -d)
trap 'rm -rf "$waves"' EXIT
"$here/waves.sh" "$waves"
for wave in 0 1 2; do
    # A line on stdin of each: a step may be longer than a command line.
    parallel --pipe -N1 --jobs "${JOBS_PER_HOST:-1}" --sshlogin "$1" --workdir "$PWD" --retries 2 \
        "$here/step.sh" <"$waves/$wave"
done
