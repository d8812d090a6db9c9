#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Everybody is looked at again, because the segments changed: PROFILES=1000000 stored profiles with EVENTS_EACH=4 events each, three
# segments, one of which time alone changes for everybody. First the publish that declares them (many enter), then one that says the same
# in other words (hardly anybody moves): seconds from the answer until nobody is left, and the lists of 100 products beside it at half of
# what they can at most, against the same load alone. WORKERS=1 worker and the back worker share one core. SEGMENTS_DATA=FOLDER keeps the past, and then the
# segments are declared already.
set -eu
cd "$(dirname "$0")/.."
export PAST_BYTES="${PAST_BYTES:-300}"
make -s -j2 all >/dev/null
. bench/common.sh
program load
profiles=${PROFILES:-1000000} folder=${SEGMENTS_DATA:-$work/segments}
workers=${WORKERS:-1}
past "$folder" "$profiles" "${EVENTS_EACH:-4}"
serve "$folder" "$folder/data" "$work/log" --memory "${MEMORY:-2G}"
settle >/dev/null
machine
key='Authorization: Bearer sk_bench_key'
most=$(load -x '"fallback"' "$at" "$folder/rank100" | value rate)
say "lists" "$(half "$most") a second, half of $most; $workers worker(s), $profiles profiles"
$on_load build/bench/load -d 100000 -x '"fallback"' -r "$(half "$most")" "$at" "$folder/rank100" >"$work/lines" 2>"$work/failed" &
loader=$!
pids="$pids $loader"
line() { # the figures since the last one
    n=$(wc -l <"$work/lines")
    kill -USR1 $loader
    while [ "$(wc -l <"$work/lines")" = "$n" ]; do sleep 0.01; done
    tail -1 "$work/lines"
}
segments() { # DAYS WORD: the script as JSON, said with that word
    printf '{"files":{"scripts/segments.lua":"segment \\"lately\\" { when = function(%s) return now() - %s.session.started_at < days(%s) end }\\nsegment \\"back\\" { when = function(%s) return %s.is_returning end }\\nsegment \\"vip\\" { when = function(%s) return %s.orders.count >= 5 or %s.orders.revenue >= 1000 end }\\n"}}' "$2" "$2" "$1" "$2" "$2" "$2" "$2" "$2"
}
publish() { # LABEL DAYS WORD
    line >/dev/null
    sleep "${ALONE:-8}"
    alone=$(line)
    began=$(date +%s%N)
    segments "$2" "$3" | curl -s -m 60 -H "$key" -H 'Content-Type: application/json' --data-binary @- "$url/v1/scripts" >"$work/answer"
    answered=$(date +%s%N)
    line >"$work/preview"
    while [ "$(curl -s -m 60 -H "$key" "$url/metrics" | awk '$1 == "attune_segments_left" { print $2 }')" != 0 ]; do sleep 0.2; done
    ended=$(date +%s%N)
    meanwhile=$(line)
    seconds=$(awk "BEGIN { printf \"%.1f\", ($ended - $answered) / 1e9 }")
    say "$1" "$seconds s; the answer took $(awk "BEGIN { printf \"%.1f\", ($answered - $began) / 1e9 }") s: $(sed 's/.*"message":"\(lately[^"]*\)".*/\1/' "$work/answer" | head -c 120)"
    say "  lists alone" "p50 $(echo "$alone" | value p50_us) us, p99 $(echo "$alone" | value p99_us) us, longest $(echo "$alone" | value max_us) us"
    say "  while it is counted" "p50 $(value p50_us <"$work/preview") us, p99 $(value p99_us <"$work/preview") us, longest $(value max_us <"$work/preview") us"
    say "  meanwhile" "p50 $(echo "$meanwhile" | value p50_us) us, p99 $(echo "$meanwhile" | value p99_us) us, longest $(echo "$meanwhile" | value max_us) us; unsent $(echo "$meanwhile" | value unsent)"
}
sleep 3
[ -e "$folder/scripts/segments.lua" ] || publish "declared: those who are in it enter" 7 customer
publish "said in other words: looked at again" 7 "person$(date +%s)"
publish "and again" 7 "somebody$(date +%s)"
curl -s -H "$key" "$url/v1/segments" | sed 's/},/},\n  /g' | head -8
say "VmHWM of the server" "$(awk '/VmHWM/ { printf "%.0f MB", $2 / 1024 }' "/proc/$server/status")"
kill $loader
wait $loader || { cat "$work/failed" >&2; say "failed" "an answer failed or was a fallback"; exit 1; }
