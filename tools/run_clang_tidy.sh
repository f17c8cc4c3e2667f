#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# tools/run_clang_tidy.sh [FILE…]: clang-tidy's advice on the layers without torch, or on FILEs.
set -euo pipefail
# shellcheck source=scripts/lib.sh
source "$(dirname "${BASH_SOURCE[0]}")/../scripts/lib.sh"

command -v clang-tidy >/dev/null || die "clang-tidy is not installed (Debian package clang-tidy)"
configure light
cd "$root"
if (($#)); then
    sources=("$@")
else
    mapfile -t sources < <(find core telemetry tree working_context storage -name '*.cpp' | sort)
fi
printf '%s\0' "${sources[@]}" | xargs -0 -n 1 -P "$(nproc)" clang-tidy -p build/light --quiet
