#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Durable events under the conditions of the goals: one event of 500 bytes a request, then batches of 100; 100,000 visitors of whom
# 5,000 are active at a time, PROFILES=1000000 profiles with EVENTS_EACH=5 events behind, SECONDS_EACH=60. "with what it defers": the
# events by the time of the load and the time after it until the server rests. PostgreSQL, Redis, and SQLite by themselves in the
# same run, by the scripts of PEERS (durable/; PEERS_DIR: where they build and keep data). EVENTS_DATA=FOLDER keeps the past for the
# next run. `make deps-bench` installs what the peers need.
set -eu
cd "$(dirname "$0")/.."
: "${SECONDS_EACH:=60}" "${PRIORITY:=0}" # the peers start sessions of their own, which no priority here would reach
make -s -j2 all >/dev/null
. bench/common.sh
program load
program store_append $libs
profiles=${PROFILES:-1000000} folder=${EVENTS_DATA:-$work/events}
visitors=$((profiles / 10))
machine
past "$folder" "$profiles" "${EVENTS_EACH:-5}"
began=$(date +%s%N)
serve "$folder" "$folder/data" "$work/log"
say "start" "$(($(date +%s%N) / 1000000 - began / 1000000)) ms until it listens, then $(settle) s until it rests"

measured() { # WHAT EVENTS FILE [OPTIONS]: sets mine
    what=$1 events=$2 file=$3
    shift 3
    line=$(load -p "$visitors" -k 5000 -s 10 "$@" "$at" "$folder/$file")
    rest=$(settle)
    mine=$(echo "$line" | value rate | awk "{ printf \"%.0f\", $events * \$1 }")
    say "$what" "$mine events/s, $(echo "$line" | sed 's/rate=[^ ]* //; s/ requests.*//')"
    say "  with what it defers" "$(awk "BEGIN { printf \"%.0f events/s (%s s until it rests)\", $mine * $each / ($each + $rest), $rest }"), VmRSS $(awk '/VmRSS/ { printf "%.0f", $2 / 1024 }' "/proc/$server/status") MB"
}
peers() { # NAME…: measured by PEERS, each a line
    PEERS_DIR=${PEERS_DIR:-$work/peers} OUT=$work/out SECS=${PEER_SECONDS:-10} REPS=${ROUNDS:-3} TRIES=1 CPU_SRV=$server_core CPU_LOAD=$load_core
    export PEERS_DIR OUT SECS REPS TRIES CPU_SRV CPU_LOAD
    mkdir -p "$OUT" "$PEERS_DIR"
    chmod 755 "$PEERS_DIR"
    sh "$PEERS/peers.sh" build sqlitewal >/dev/null 2>&1
    sh "$PEERS/peers.sh" B "$@" >/dev/null 2>"$work/peers.log" || { tail -3 "$work/peers.log" >&2; return 1; }
}
rate_of() { # PEER CASE: the median of its rounds
    grep "\"peer\": \"$1\", \"case\": \"$2\"" "$OUT/B.jsonl" | sed 's/.*"rate": \([0-9.]*\).*/\1/' | median
}
versus() { # NAME PEER CASE
    theirs=$(rate_of "$2" "$3")
    theirs=$(echo "$theirs" | awk "{ printf \"%.0f\", \$1 }")
    [ "${theirs:-0}" = 0 ] || say "  $1" "$theirs/s: attune $(ratio "$mine" "$theirs") x"
}

measured "one event of 500 bytes a request, durable" 1 event
single=$mine
say "  at half load ($(half "$single")/s)" "$(load -p "$visitors" -k 5000 -s 10 -r "$(half "$single")" "$at" "$folder/event" | sed 's/ requests.*//; s/rate=[^ ]* //'), then $(settle) s until it rests"
measured "batches of 100, durable" 100 batch -x '"invalid"'
batches=$mine
if [ -e "$PEERS/durable/bench.py" ]; then
    peers postgres redis sqlite
    mine=$single
    versus "PostgreSQL, 64 clients, jsonb" postgresql-15 jsonb-64c
    versus "Redis XADD, fsync always, 64 clients" redis-7-xadd always
    mine=$batches
    versus "SQLite WAL FULL, append only, batches of 100" sqlite-wal-FULL batch100
else
    say "peers" "none: PEERS names no folder with durable/"
fi
mkdir -p "$work/append"
$on_server build/bench/store_append "$work/append" 4 | sed 's/^/  /'
say "VmHWM of the server" "$(awk '/VmHWM/ { printf "%.0f MB", $2 / 1024 }' "/proc/$server/status")"
