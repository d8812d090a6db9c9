#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A past of EVENTS=1000000 events in a file (bench/history.mjs): brought in by attune import events into an empty shop, by the verb
# alone and, a tenth of it, through a server; audited, as a file and as a shop; then the export of the person with 10,000 of them.
# Peers in the same run: reading the file (cat), and sqlite3 importing its lines into one table with a commit at the end.
set -eu
cd "$(dirname "$0")/.."
make -s -j2 all >/dev/null
. bench/common.sh
events=${EVENTS:-1000000}
folder=$work/shop data=$work/shop/data
file=$work/history.jsonl
node bench/history.mjs "$events" >"$file"
mkdir -p "$folder/scripts"
printf 'shop "bench" { currency = "EUR", timezone = "UTC" }\nkeys { secret = { bench = "sk_bench_key" } }\n' >"$folder/shop.lua"
machine
seconds() { awk "BEGIN { printf \"%.2f\", ($2 - $1) / 1e9 }"; }
timed() { # LABEL COUNT WHAT COMMAND…: seconds, how many of COUNT a second, peak memory
    label=$1 count=$2 what=$3
    shift 3
    from=$(date +%s%N)
    code=0
    /usr/bin/time -f '%M' -o "$work/memory" "$@" >"$work/out" 2>"$work/err" || code=$?
    to=$(date +%s%N)
    [ $code -le 1 ] || { cat "$work/err" >&2; exit 1; }
    say "$label" "$(seconds "$from" "$to") s, $(awk "BEGIN { printf \"%.0f\", $count / (($to - $from) / 1e9) }") $what/s, $(($(tail -1 "$work/memory") / 1024)) MB; $(grep -v "^wal" "$work/out" | head -1 | sed "s|$work/||g" | cut -c1-110)"
}
say "the file" "$events events, $(($(wc -c <"$file") / 1000000)) MB"
timed "cat" "$events" lines sh -c "cat '$file' >'$work/copy'"
rm -f "$work/copy"
printf 'PRAGMA journal_mode=WAL;\nCREATE TABLE t(line TEXT);\n.mode list\n.separator "\037" "\\n"\n.import %s t\n.headers off\nSELECT count(*) FROM t;\n' "$file" >"$work/import.sql"
timed "sqlite3, one table, one commit" "$events" rows sh -c "sqlite3 '$work/raw.db' <'$work/import.sql'"
rm -f "$work"/raw.db*
timed "attune import events, nobody serves" "$events" events build/attune import events "$file" --shop "$folder"
timed "attune audit FILE" "$events" events build/attune audit "$file"
timed "attune audit SHOP" "$events" events build/attune audit "$folder"
serve "$folder" "$data" "$work/log"
settle >/dev/null
for _ in 1 2 3; do
    from=$(date +%s%N)
    curl -s -m 60 -H 'Authorization: Bearer sk_bench_key' "$url/v1/customers/by/anonymous_id/v-many/export" >"$work/export"
    say "export of one person" "$(seconds "$from" "$(date +%s%N)") s, $(($(wc -c <"$work/export") / 1000)) kB, $(grep -o '"messageId"' "$work/export" | wc -l) events"
done
stop
