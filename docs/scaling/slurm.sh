#!/bin/bash
# Rooms over a cluster with Slurm: slurm.sh DIR < STEPS
#
# Submits a job array for each wave, each after the one before, and prints the
# last one's number. DIR keeps the steps and what ffmpeg says; all nodes have it.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$1"
dir=$(cd "$1" && pwd)
"$here/waves.sh" "$dir"
after=()
for wave in 0 1 2; do
    count=$(wc -l <"$dir/$wave")
    [ "$count" -gt 0 ] || continue
    job=$(sbatch --parsable --array="1-$count" --cpus-per-task=1 --chdir="$PWD" --output="$dir/%A_%a.log" \
        "${after[@]}" --wrap="sed -n \"\${SLURM_ARRAY_TASK_ID}p\" '$dir/$wave' | '$here/step.sh'")
    after=(--dependency="afterok:$job" --kill-on-invalid-dep=yes)
done
echo "$job"
