#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What takes longer: 200 kills, 1,000 reloads, ten minutes a fuzz target (SOAK_SECONDS), the suite over sanitizers.
set -u
cd "$(dirname "$0")/.."
failed=0
run() {
    echo "== $*"
    "$@" || failed=1
}
run env KILL_ROUNDS="${KILL_ROUNDS:-200}" node --test tests/http/kill.test.mjs
run env STORM_SECONDS="${STORM_SECONDS:-60}" node --test tests/http/scripts.test.mjs
for t in tests/fuzz/*_fuzz.c; do run sh tools/fuzz.sh "$t" "${SOAK_SECONDS:-600}"; done
[ $failed = 0 ] && echo "soak: good" || echo "soak: failed"
exit $failed
