#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What a request costs without sockets: instructions a request (valgrind's callgrind over bench/calls.c, through attune.h) and the time
# on one core as a hint, for the requests of bench/shop.mjs. WARM=3000 requests before what is counted. KEEP=FOLDER keeps callgrind's
# files there for callgrind_annotate.
set -eu
cd "$(dirname "$0")/.."
make -s -j2 all >/dev/null
. bench/common.sh
program calls $(pkg-config --cflags libuv) $libs
node bench/shop.mjs "$work"
serve "$work" "$work/data" "$work/log"
build/attune import catalog "$work/catalog.jsonl" --shop "$work" >/dev/null 2>&1
node bench/people.mjs "$url"
settle >/dev/null
stop
machine
out=${KEEP:-$work}
for case in decide:400 rank100:200 rank1000:100 where:100; do
    name=${case%:*} count=${case#*:}
    time=$($on_server build/bench/calls "$work" "$work/data" "$work/$name" "${WARM:-3000}" 6000 | value us)
    valgrind --tool=callgrind --collect-atstart=no --callgrind-out-file="$out/callgrind.$name" build/bench/calls "$work" "$work/data" "$work/$name" "${WARM:-3000}" "$count" >"$work/valgrind" 2>&1 || { cat "$work/valgrind" >&2; exit 1; }
    say "$name" "$(awk -v n="$count" '/Collected/ { printf "%d", $4 / n }' "$work/valgrind") instructions, $time us on the core"
done
