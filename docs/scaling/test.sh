#!/bin/bash
# Tries parallel.sh over two sshd on loopback, and slurm.sh on a one-node Slurm.
# Installs what is missing (Debian) and needs root; everything that it starts is
# its own, in a folder of its own, and ends with it.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)

[ "$(id -u)" = 0 ] || { echo "scale-test starts a Slurm, which takes root: sudo just scale-test" >&2; exit 2; }
missing=()
for pair in parallel:parallel sshd:openssh-server slurmctld:slurmctld slurmd:slurmd sbatch:slurm-client munged:munge; do
    PATH=$PATH:/usr/sbin command -v "${pair%%:*}" >/dev/null || missing+=("${pair##*:}")
done
if [ ${#missing[@]} -gt 0 ]; then
    apt-get update -qq
    DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
fi
export PATH=$PATH:/usr/sbin

work=$(mktemp -d /tmp/tw-scale.XXXXXX)
chmod 755 "$work"
started=()
end() {
    for pid in "${started[@]}"; do kill "$pid" 2>/dev/null || true; done
    wait || true
    rm -rf "$work"
}
trap end EXIT
start() {
    "$@" >>"$work/daemons.log" 2>&1 &
    started+=($!)
}
free_port() {
    perl -MIO::Socket::INET -e 'print IO::Socket::INET->new(Listen => 1, LocalAddr => "127.0.0.1")->sockport'
}
# Until a command succeeds, half a minute at most.
until_done() {
    for _ in $(seq 300); do
        if "$@" >/dev/null 2>&1; then return; fi
        sleep 0.1
    done
    echo "gave up: $*" >&2
    tail -n 40 "$work"/*.log >&2
    exit 1
}

cd "$work"
# The room of the tutorial, small, in chunks of five seconds.
small=(--size 320x240 --fps 15)
tw-loopback --media "${TMPDIR:-/tmp}/tw-scale-media" -- bash -c 'tw-list -q --room "$ROOM" | tw-fetch -q --dir media | tw-probe -q | tw-offsets -q' >room.jsonl
tw-ffcmd -q "${small[@]}" --run -o once.webm room.jsonl >once.json
frames() { ffmpeg -v error -i "$1" -map 0:v -f framemd5 - | grep -v '^#' | wc -l; }
expected=$(frames once.webm)
check() {
    [ "$(frames "$1")" = "$expected" ] || { echo "$1 has $(frames "$1") frames instead of $expected" >&2; exit 1; }
    echo "$1: $expected frames, $(stat -c %s "$1") bytes"
}

echo "# GNU parallel over two sshd on loopback"
ssh-keygen -q -t ed25519 -N '' -f host_key
ssh-keygen -q -t ed25519 -N '' -f login_key
cp login_key.pub authorized_keys
mkdir -p /run/sshd
for host in host1 host2; do
    port=$(free_port)
    printf 'Host %s\n HostName 127.0.0.1\n Port %s\n IdentityFile %s/login_key\n StrictHostKeyChecking no\n UserKnownHostsFile /dev/null\n LogLevel ERROR\n' \
        "$host" "$port" "$work" >>ssh_config
    start "$(command -v sshd)" -D -e -f /dev/null -p "$port" -o ListenAddress=127.0.0.1 -h "$work/host_key" -o PidFile=none \
        -o AuthorizedKeysFile="$work/authorized_keys" -o StrictModes=no -o PasswordAuthentication=no \
        -o PermitRootLogin=prohibit-password -o "SetEnv=PATH=$PATH"
    until_done ssh -F ssh_config "$host" true
done
tw-ffcmd -q "${small[@]}" --chunk 5 -o parallel.webm room.jsonl >parallel.steps
logins="ssh -F $work/ssh_config host1,ssh -F $work/ssh_config host2"
time "$here/parallel.sh" "$logins" <parallel.steps 2>parallel.log || { tail parallel.log >&2; exit 1; }
check parallel.webm
rm "$(jq -r 'select(.output | contains("picture-")) | .output' parallel.steps | head -1)" parallel.webm
"$here/parallel.sh" "$logins" <parallel.steps 2>parallel.log
echo "a part and the result taken away, and made again:"
check parallel.webm

echo "# Slurm, one node"
mkdir -p state spool
node=$(hostname -s)
dd if=/dev/urandom of=munge.key bs=1 count=1024 status=none
chmod 600 munge.key
start munged --foreground --force --socket="$work/munge.sock" --key-file="$work/munge.key" \
    --pid-file="$work/munge.pid" --log-file="$work/munge.log" --seed-file="$work/munge.seed"
until_done munge -S "$work/munge.sock" -n
cat >slurm.conf <<END
ClusterName=tw
SlurmctldHost=$node(127.0.0.1)
SlurmUser=root
SlurmdUser=root
SlurmctldPort=$(free_port)
SlurmdPort=$(free_port)
AuthType=auth/munge
AuthInfo=socket=$work/munge.sock
CredType=cred/munge
StateSaveLocation=$work/state
SlurmdSpoolDir=$work/spool
SlurmctldPidFile=$work/slurmctld.pid
SlurmdPidFile=$work/slurmd.pid
SlurmctldLogFile=$work/slurmctld.log
SlurmdLogFile=$work/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
SchedulerParameters=sched_interval=1,sched_min_interval=0
ReturnToService=2
MailProg=/bin/true
SlurmdParameters=config_overrides
NodeName=$node NodeAddr=127.0.0.1 CPUs=$(nproc) State=UNKNOWN
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP
END
printf 'CgroupPlugin=cgroup/v1\nCgroupAutomount=no\n' >cgroup.conf
export SLURM_CONF=$work/slurm.conf
start slurmctld -D -f "$SLURM_CONF"
until_done scontrol ping
start slurmd -D -f "$SLURM_CONF" -N "$node"
until_done bash -c 'sinfo -h -o %T | grep -q idle'
tw-ffcmd -q "${small[@]}" --chunk 5 -o slurm.webm room.jsonl >slurm.steps
"$here/slurm.sh" jobs <slurm.steps
gone() { [ -z "$(squeue -h)" ]; }
until_done gone
[ -e slurm.webm ] || { tail -n 5 jobs/*.log slurmctld.log slurmd.log >&2; exit 1; }
check slurm.webm
