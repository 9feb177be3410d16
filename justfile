# Everything that is done here often. `just` alone lists it.

set shell := ["sh", "-euc"]

tools := "tw-list tw-fetch tw-probe tw-offsets tw-ffcmd"

[private]
default:
    @just --list --unsorted

# Install ffmpeg and jq, and for the tests openssl and curl, where they are missing
setup:
    #!/bin/sh
    set -eu
    missing=
    command -v ffmpeg >/dev/null && command -v ffprobe >/dev/null || missing="ffmpeg"
    for program in jq openssl curl; do
        command -v $program >/dev/null || missing="$missing $program"
    done
    [ -n "$missing" ] || exit 0
    sudo=
    [ "$(id -u)" = 0 ] || ! command -v sudo >/dev/null || sudo=sudo
    echo "installing $missing"
    if command -v apt-get >/dev/null; then
        $sudo apt-get update -qq
        DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends $missing >/dev/null
    elif command -v dnf >/dev/null; then
        $sudo dnf install -y -q $missing
    elif command -v pacman >/dev/null; then
        $sudo pacman -S --noconfirm --needed $missing
    elif command -v brew >/dev/null; then
        brew install -q $missing
    else
        echo "please install $missing: there is no apt-get, dnf, pacman or brew here" >&2
        exit 1
    fi

# Build the tools
build:
    cargo build --quiet --workspace --bins

# Compose a made-up room, as the README does it: demo/room.webm and a picture of it
demo: setup build
    #!/bin/sh
    set -eu
    export PATH="$(cd "${CARGO_TARGET_DIR:-target}/debug" && pwd):$PATH"
    mkdir -p demo && cd demo
    tw-loopback --media twilio -- sh -eu <<"END"
    tw-list --room "$ROOM" | tw-fetch --dir media | tw-probe | tw-offsets --to table
    tw-list --room "$ROOM" | tw-fetch --dir media | tw-probe | tw-offsets | tw-ffcmd -o room.webm --overwrite --run > job.json
    END
    ffmpeg -v error -y -i room.webm -frames:v 1 -vf fps=1/5,scale=320:-2,tile=4x2:padding=4 contact-sheet.png
    echo "demo/room.webm: play it. demo/contact-sheet.png: a picture of it, one frame every five seconds."

# Everything that CI checks: format, lints, tests, documentation
test: setup check-format lint build
    cargo test --quiet --workspace
    just api-docs

# Run only the tests whose name contains NAME
only NAME: setup build
    cargo test --quiet --workspace -- {{NAME}}

# Compose and measure every case of docs/sync.md on the ffmpeg at hand (TW_FFMPEG names another)
sync *ARGS: build
    cargo run --quiet --package tw-tests --bin tw-sync -- {{ARGS}}

# Format the code
fmt:
    cargo fmt --all

[private]
check-format:
    cargo fmt --all -- --check

# Clippy, warnings denied; and what may be in the dependency tree, where cargo-deny is installed
lint:
    cargo clippy --quiet --workspace --all-targets -- -D warnings
    if command -v cargo-deny >/dev/null; then \
        cargo deny --log-level error check --hide-inclusion-graph bans licenses sources; \
        if cargo deny fetch db 2>/dev/null; then cargo deny --log-level error check --hide-inclusion-graph advisories; \
        else echo "RustSec's database can't be reached: known flaws are not looked for" >&2; fi; \
    else echo "cargo-deny is not installed: the dependency tree is not checked" >&2; fi

# Known flaws in the dependency tree: fetches the RustSec database
advisories:
    cargo deny check advisories

# Fuzz every reader, SECONDS each (wants a nightly toolchain and cargo-fuzz); TARGET for one of them
fuzz SECONDS="60" TARGET="":
    #!/bin/sh
    set -eu
    cd tests/fuzz
    for target in {{ if TARGET == "" { "$(ls fuzz_targets | sed 's/[.]rs$//')" } else { TARGET } }}; do
        echo "== $target"
        mkdir -p "corpus/$target"
        cargo +nightly fuzz run --fuzz-dir . "$target" "corpus/$target" "../properties/corpus/$target" -- \
            -max_total_time={{SECONDS}} -max_len=4096 -print_final_stats=1 -verbosity=0
    done

# The tests of a full disk and of a read-only one on file systems of 64 kB (wants root)
disk-test: build
    #!/bin/sh
    set -eu
    small=$(mktemp -d)
    read_only=$(mktemp -d)
    trap 'umount "$small" "$read_only"; rmdir "$small" "$read_only"' EXIT
    mount -t tmpfs -o size=64k tmpfs "$small"
    mount -t tmpfs -o size=64k,ro tmpfs "$read_only"
    TW_SMALL_DISK="$small" TW_READ_ONLY_DISK="$read_only" \
        cargo test --quiet -p tw-tests --test reliability -- --ignored

# All that is generated for docs/: the layouts' pictures, the API's documentation
docs: layouts api-docs

# The API's documentation, warnings denied
api-docs:
    RUSTDOCFLAGS="-D warnings" cargo doc --quiet --workspace --no-deps

# Make the pictures in docs/layouts anew
layouts: setup build
    mkdir -p demo/layouts
    PATH="$(cd "${CARGO_TARGET_DIR:-target}/debug" && pwd):$PATH" tw-loopback --media demo/twilio -- docs/layouts/make.sh demo/layouts

# By hand: tw-fetch --external with the AWS command line and an S3 server (moto, from PyPI)
external-test: build
    crates/tw-fetch/tests/by-hand/s3.sh "${CARGO_TARGET_DIR:-target}/debug/tw-fetch"

# Measure everything beside what one would use instead, and write docs/benchmarks.md
bench *SECTIONS: setup
    #!/bin/sh
    set -eu
    cargo build --release --quiet --workspace --bins
    export PATH="$(cd "${CARGO_TARGET_DIR:-target}/release" && pwd):$PATH" PYTHONDONTWRITEBYTECODE=1
    python=python3
    # DuckDB, where it can be had, in a folder of its own.
    if ! python3 -c 'import duckdb' 2>/dev/null && python3 -m venv "${TW_BENCH:-/tmp/tw-bench}/venv" 2>/dev/null; then
        python="${TW_BENCH:-/tmp/tw-bench}/venv/bin/python"
        "$python" -m pip install --quiet duckdb || true
    fi
    "$python" tests/bench/run.py {{ if SECTIONS == "" { "--write docs/benchmarks.md" } else { SECTIONS } }}

# Rooms over two hosts with GNU parallel, and over a one-node Slurm; installs and starts what it needs
scale-test: setup
    #!/bin/sh
    set -eu
    cargo build --release --quiet --workspace --bins
    export PATH="$(cd "${CARGO_TARGET_DIR:-target}/release" && pwd):$PATH"
    docs/scaling/test.sh

# Install the five tools for this user (or into PREFIX), with man pages and completions
install:
    #!/bin/sh
    set -eu
    root=${PREFIX:+"--root $PREFIX"}
    for tool in {{tools}}; do cargo install --locked $root --path "crates/$tool"; done
    share=${PREFIX:+$PREFIX/share}
    share=${share:-${XDG_DATA_HOME:-$HOME/.local/share}}
    cargo run --quiet --package tw-manual -- "$share"
    echo "man pages and completions are in $share"
    case ":$(manpath 2>/dev/null):" in
        *":$share/man:"*) ;;
        *) echo "man finds them with: export MANPATH=\"$share/man:\${MANPATH:-}\"" ;;
    esac
    case ":${XDG_DATA_HOME:-$HOME/.local/share}:${XDG_DATA_DIRS:-/usr/local/share:/usr/share}:" in
        *":$share:"*) ;;
        *) echo "bash and fish find them with: export XDG_DATA_DIRS=\"$share:\${XDG_DATA_DIRS:-/usr/local/share:/usr/share}\"" ;;
    esac
    echo "zsh finds them with: fpath+=($share/zsh/site-functions)"

# Play compositions of every codec in a headless Chromium (docs/playback.md)
play-test: setup build
    python3 tests/playback/play.py "${CARGO_TARGET_DIR:-target}/debug"

# Check that the crates can be packaged
package:
    cargo package --workspace --no-verify --allow-dirty --quiet --exclude tw-tests --exclude tw-manual --exclude tw-loopback --exclude tw-testsignal

# What CI runs
ci:
    ./.ci/run
