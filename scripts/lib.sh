# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What the scripts share: where things lie, how they talk, how they build. Sourced, never run.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
if [[ -z ${HOME-} ]]; then
    HOME=$(getent passwd "$(id -u)" | cut -d: -f6)
    export HOME
fi
cache=${MEGACONTEXT_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/megacontext}

# The program and CMake look for the wheels and the model where the scripts put them.
export MEGACONTEXT_CACHE="$cache"

# Precompiled headers are only cacheable when ccache ignores times inside them. What one clone has compiled serves the
# next, wherever it lies.
export CCACHE_BASEDIR="$root" CCACHE_NOHASHDIR=1
export CCACHE_SLOPPINESS=pch_defines,time_macros,include_file_mtime,include_file_ctime

say() { printf '%s\n' "$*"; }

die() {
    current_step=
    printf '%s: error: %s\n' "$(basename "$0")" "$*" >&2
    exit 1
}

current_step=
trap 'if [[ -n $current_step ]]; then printf "%s: error: failed: %s\n" "${0##*/}" "$current_step" >&2; fi' EXIT

# step TITLE COMMAND…: runs the command, says what it is doing and how long it took. Not joined with
# ||, which would switch off errexit inside the command.
step() {
    local started=$SECONDS
    current_step=$1
    shift
    say "==> $current_step"
    "$@"
    say "    $((SECONDS - started)) s"
    current_step=
}

configure() {
    mkdir -p "$root/build"
    local log=$root/build/configure-$1.log
    if ! cmake -S "$root" --preset "$1" -DMEGACONTEXT_SITE="$cache/site" >"$log" 2>&1; then
        tail -n 30 "$log" >&2
        return 1
    fi
}

# build PRESET [OPTION…]
build() {
    local preset=$1
    shift
    cmake --build "$root/build/$preset" --parallel "$(nproc)" "$@"
}
