#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Peak memory: PROFILES=1000000 profiles with EVENTS_EACH=20 events each (PAST_BYTES=200 bytes an event), then a fresh server with
# MEMORY=256M under ranked lists and events for people drawn from all of them, SECONDS_EACH=60. Prints VmHWM and the ledger as /metrics
# tells it, the most of one look a second. MEMORY_DATA=FOLDER keeps the past for the next run.
set -eu
cd "$(dirname "$0")/.."
: "${SECONDS_EACH:=60}" "${PAST_BYTES:=200}" "${MEMORY:=256M}"
export PAST_BYTES
make -s -j2 all >/dev/null
. bench/common.sh
program load
profiles=${PROFILES:-1000000} folder=${MEMORY_DATA:-$work/memory}
machine
past "$folder" "$profiles" "${EVENTS_EACH:-20}"
serve "$folder" "$folder/data" "$work/log" --memory "$MEMORY"
say "start" "rests after $(settle) s; VmRSS $(awk '/VmRSS/ { printf "%.0f", $2 / 1024 }' "/proc/$server/status") MB"
everybody="-c 32 -p $profiles -k $profiles"
load $everybody "$at" "$folder/event" >"$work/events" 2>"$work/failed" &
events=$!
load $everybody -x '"fallback"' "$at" "$folder/anybody" >"$work/lists" 2>>"$work/failed" &
lists=$!
while kill -0 $events 2>/dev/null || kill -0 $lists 2>/dev/null; do
    sleep 1
    curl -s -m 5 -H 'Authorization: Bearer sk_bench_key' "$url/metrics" | sed -n 's/^attune_memory_\(limit_\)*bytes{account="\([a-z]*\)"} /\1 \2 /p' >>"$work/looks" || true
    echo "-" >>"$work/looks"
done
wait $events $lists || cat "$work/failed" >&2
say "events for anybody" "$(cat "$work/events")"
say "lists of 100 for anybody" "$(cat "$work/lists")"
awk '$1 == "-" { if (sum > most) most = sum; sum = 0; next }
     $1 == "limit_" { limit[$2] = $3; next }
     { sum += $2; if ($2 > peak[$1]) peak[$1] = $2 }
     END { for (a in peak) { printf "  %-12s %7.1f of %6.1f MB%s\n", a, peak[a] / 1048576, limit[a] / 1048576, (peak[a] > limit[a] ? "  over" : ""); all += limit[a] }
           printf "  %-12s %7.1f of %6.1f MB%s\n", "together", most / 1048576, all / 1048576, (most > all ? "  over" : "") }' "$work/looks"
say "VmHWM of the server" "$(awk '/VmHWM/ { printf "%.0f MB", $2 / 1024 }' "/proc/$server/status")"
say "rests" "$(settle) s after the load"
