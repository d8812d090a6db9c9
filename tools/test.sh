#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The whole suite: C tests (release, sanitizers), tests over HTTP, embedding, fuzzing in short. Ends with the counts.
set -u
cd "$(dirname "$0")/.."
passed=0 failed=0 skipped=0
jobs=$(nproc 2>/dev/null || echo 2)
log=$(mktemp)
trap 'rm -f "$log"' EXIT
: "${SHARED_DATA:=../shared/data}"
SHARED_DATA=$(cd "$SHARED_DATA" 2>/dev/null && pwd || echo "$SHARED_DATA")
export SHARED_DATA

# NAME COMMAND…: one test that passes or fails as a whole; "skipped:" in its output counts.
one() {
    name=$1
    shift
    begin=$(date +%s)
    if timeout "${LIMIT:-300}" "$@" >"$log" 2>&1; then
        passed=$((passed + 1))
        n=$(grep -c 'skipped: no data' "$log")
        skipped=$((skipped + n))
        echo "ok      $name ($(($(date +%s) - begin)) s)$([ "$n" -gt 0 ] && echo "  skipped: no data")"
        grep -E '^(property|seed|coverage):' "$log" | sed 's/^/        /'
    else
        failed=$((failed + 1))
        echo "FAILED  $name"
        tail -n 60 "$log" | sed 's/^/        /'
    fi
}

unit() { # MODE
    if ! make -j"$jobs" MODE="$1" all unit-build >"$log" 2>&1; then
        failed=$((failed + 1))
        echo "FAILED  build $1"
        grep -E 'error|Error|undefined' "$log" | head -30
        return
    fi
    for t in build/"$1"/tests/*_test; do
        [ -x "$t" ] || continue
        case $1:$t in
        tsan:*_alloc_test | tsan:*_durable_test) continue ;; # no threads of interest, and slow there
        esac
        one "$1 ${t##*/}" "$t"
    done
}

[ "${QUICK:-}" ] || unit debug
[ "${QUICK:-}" ] || unit tsan
unit release
make -s node_modules/.ready >/dev/null 2>&1 || echo "note: npm could not install the clients; tests that need them fail"
for t in tests/http/*.test.mjs; do
    one "http ${t##*/}" node --test "$t"
done
# The same program under the sanitizers: the paths where memory and threads are shared.
http_under() { # MODE file…
    mode=$1
    shift
    [ -x "build/$mode/attune" ] || return
    for t in "$@"; do one "http ${t} under $mode" env ATTUNE="$PWD/build/$mode/attune" TSAN_OPTIONS="exitcode=66" STORM_SECONDS=3 KILL_ROUNDS=4 node --test "tests/http/$t.test.mjs"; done
}
[ "${QUICK:-}" ] || http_under debug first events catalog decide scripts wire
[ "${QUICK:-}" ] || http_under tsan first events scripts operate
for t in tests/cli/*.sh; do
    [ -e "$t" ] && one "cli ${t##*/}" sh "$t"
done
[ -e tools/fuzz.sh ] && [ -z "${QUICK:-}" ] && for t in tests/fuzz/*_fuzz.c; do
    [ -e "$t" ] && one "fuzz ${t##*/}" sh tools/fuzz.sh "$t" "${FUZZ_SECONDS:-20}"
done
if [ $skipped -gt 0 ]; then echo "$passed passed, $failed failed, $skipped skipped"; else echo "$passed passed, $failed failed"; fi
[ $failed = 0 ]
