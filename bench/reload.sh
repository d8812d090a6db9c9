#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A save under load: 100 KB of scripts, WORKERS=2 workers on one core, ranked lists of 100 products over 64 connections at half of what
# they can at most. Ten seconds, a save of one file, SAVES=5 times. "live": from the end of the save's quiet time (QUIET_MS of
# runtime/shop/watch.c) until the last answer of an older generation. "meanwhile": the 300 ms after the save, which hold all of it.
set -eu
cd "$(dirname "$0")/.."
make -s -j2 all >/dev/null
. bench/common.sh
program load
quiet=$(sed -n 's/^#define QUIET_MS *//p' runtime/shop/watch.c)
workers=${WORKERS:-2}
node bench/shop.mjs "$work"
scripts=$(node bench/scripts.mjs "$work")
serve "$work" "$work/data" "$work/log"
build/attune import catalog "$work/catalog.jsonl" --shop "$work" >/dev/null 2>&1
node bench/people.mjs "$url"
sleep 3
machine
each=4
most=$(load "$at" "$work/rank100" | value rate)
say "scripts; load" "$scripts; $(half "$most") lists/s, half of $most/s; $workers workers"
$on_load build/bench/load -d 100000 -g -x '"fallback"' -r "$(half "$most")" "$at" "$work/rank100" >"$work/lines" 2>"$work/failed" &
loader=$!
pids="$pids $loader"
line() { # the figures since the last one
    n=$(wc -l <"$work/lines")
    kill -USR1 $loader
    while [ "$(wc -l <"$work/lines")" = "$n" ]; do sleep 0.01; done
    tail -1 "$work/lines"
}
sleep 3
line >/dev/null
rule=$work/scripts/rankings/bench.lua
for n in $(seq "${SAVES:-5}"); do
    sleep 10
    sed "s/0\.40[0-9]* \*/0.40$n */" "$rule" >"$work/next"
    before=$(line)
    mv "$work/next" "$rule"
    saved=$(date +%s%N)
    sleep 0.3
    during=$(line)
    sleep 0.7
    after=$(line)
    live=$(echo "$after" | sed 's/.*generation=\([0-9]*\) first_ms=\([0-9.]*\) last_older_ms=\([0-9.]*\).*/\1 \2 \3/' | awk "{ last = \$2 > \$3 ? \$2 : \$3; printf \"%.0f\", last - $saved / 1e6 - $quiet }")
    x=$(ratio "$(echo "$during" | value p99_us)" "$(echo "$before" | value p99_us)")
    echo "$live" >>"$work/lives"
    echo "$x" >>"$work/ratios"
    say "save $n: generation $(echo "$after" | value generation)" "live after $live ms; p99 $(echo "$before" | value p99_us) us before, $(echo "$during" | value p99_us) us meanwhile: $x x; max $(echo "$during" | value max_us) us"
done
kill $loader
wait $loader || { cat "$work/failed" >&2; say "failed" "an answer failed or was a fallback"; failed=1; }
say "median of ${SAVES:-5} saves" "live after $(median <"$work/lives") ms; p99 meanwhile $(median <"$work/ratios") x"
exit "${failed:-0}"
