#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The whole suite: C tests (address and undefined, thread, release), each property against a planted fault, tests over HTTP (release,
# and under the sanitizers), what the fuzzers' corpora reach, fuzzing in short. Ends with the counts. QUICK=1: release only, no
# faults, no fuzzing.
set -u
cd "$(dirname "$0")/.."
: "${SHARED_DATA:=../shared/data}"
SHARED_DATA=$(cd "$SHARED_DATA" 2>/dev/null && pwd || echo "$SHARED_DATA")
export SHARED_DATA

# sh tools/test.sh one NAME COMMAND…: runs one test, prints one line and what went wrong.
if [ "${1:-}" = one ]; then
    name=$2
    shift 2
    log=$(mktemp)
    begin=$(date +%s)
    if timeout "${LIMIT:-600}" "$@" >"$log" 2>&1; then
        skips=$(grep -c 'skipped: no data' "$log")
        echo "ok      $name ($(($(date +%s) - begin)) s)$([ "$skips" -gt 0 ] && echo "  skipped: no data")"
        grep -E '^(# )?(property|coverage):' "$log" | sed 's/^\(# \)\{0,1\}/        /'
    else
        echo "FAILED  $name"
        tail -n 60 "$log" | sed 's/^/        /'
    fi
    rm -f "$log"
    exit 0
fi

result=$(mktemp)
trap 'rm -f "$result" "$result.build"' EXIT
jobs=$(nproc 2>/dev/null || echo 2)
at_once=$((jobs + 1)) # many tests wait

# Names on standard input; COMMAND with {} for each; $at_once of them at a time.
many() { # LABEL COMMAND…
    label=$1
    shift
    xargs -P "$at_once" -I{} sh tools/test.sh one "$label {}" "$@" | tee -a "$result"
}
build() { # MODE TARGET… (lines in reports are enough: -g1)
    mode=$1
    shift
    make -j"$jobs" MODE="$mode" CFLAGS=-g1 CXXFLAGS=-g1 all "$@" >"$result.build" 2>&1 && return 0
    echo "FAILED  build $mode" | tee -a "$result"
    grep -E 'error|Error|undefined' "$result.build" | head -30
    return 1
}
# The longest first, so that none of them runs alone at the end.
long='store_folder|language_generated|profile_fold|attune_embed|net_gzip|net_limits|language_alloc|import|people|outfitter|rhythm|scripts|kill|backup'
names() { # DIRECTORY ENDING
    all=$(cd "$1" && ls ./*"$2" | sed "s|^\./||; s|\\$2$||")
    echo "$all" | grep -E "^($long)$"
    echo "$all" | grep -vE "^($long)$"
}
units() { names tests/unit _test.c | sed 's|$|_test|'; }
threads='loop_test catalog_threads_test store_engine_test net_server_test net_life_test attune_embed_test' # where threads meet

sh tools/lua-files.sh >/dev/null 2>&1 || echo "note: the packages with Lua files could not be fetched; the parser is not judged by them"
if [ -z "${QUICK:-}" ]; then
    build debug unit-build && units | many debug build/debug/tests/{}
    # shellcheck disable=SC2086
    build tsan $(printf 'build/tsan/tests/%s ' $threads) && printf '%s\n' $threads | many tsan build/tsan/tests/{}
fi
# What waits for clocks and disks ran under the sanitizers; over HTTP the release does it.
build release unit-build && units | grep -vE '^(net|store|shop|loop)_' | many release build/release/tests/{}
[ -n "${QUICK:-}" ] || sh tools/planted.sh list | many "planted fault" sh tools/planted.sh {}
make -s node_modules/.ready >/dev/null 2>&1 || echo "note: npm could not install the clients; tests that need them fail"
names tests/http .test.mjs | grep -v '^budget$' | many http node --test tests/http/{}.test.mjs
echo budget | many http node --test tests/http/{}.test.mjs # alone: it measures
if [ -z "${QUICK:-}" ]; then
    # The same program under the sanitizers: the paths where memory and threads are shared.
    for t in first events catalog decide scripts wire; do echo $t; done |
        many "http debug" env ATTUNE="$PWD/build/debug/attune" STORM_SECONDS=3 node --test tests/http/{}.test.mjs
    for t in first events scripts operate; do echo $t; done |
        many "http tsan" env ATTUNE="$PWD/build/tsan/attune" TSAN_OPTIONS="exitcode=66 suppressions=$PWD/tests/tsan.supp" STORM_SECONDS=3 node --test tests/http/{}.test.mjs
    echo corpus | many coverage sh tools/coverage.sh {}
    make -s -j"$jobs" MODE=fuzz lib >/dev/null 2>&1
    at_once=$jobs # each counts what it does in its seconds
    ls tests/fuzz/*_fuzz.c | many fuzz sh tools/fuzz.sh {} "${FUZZ_SECONDS:-20}"
fi
passed=$(grep -c '^ok ' "$result") failed=$(grep -c '^FAILED' "$result") skipped=$(grep -c 'skipped: no data' "$result")
if [ "$skipped" -gt 0 ]; then echo "$passed passed, $failed failed, $skipped skipped"; else echo "$passed passed, $failed failed"; fi
[ "$failed" = 0 ]
