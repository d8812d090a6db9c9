#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The figures of bench/RESULTS.md: the released program with keys, log of decisions, metrics and watchdog on, one worker; server
# on one core, load on the other, 64 connections; the peers in the same run. SECONDS_EACH=8. Needs wrk, nginx and, for the peer
# that ranks, libnginx-mod-http-lua and lua-cjson.
set -eu
cd "$(dirname "$0")/.."
each=${SECONDS_EACH:-8}
make -s -j2 all >/dev/null
work=$(mktemp -d)
cleanup() {
    [ -n "${server:-}" ] && kill "$server" 2>/dev/null
    [ -e "$work/nginx.pid" ] && kill "$(cat "$work/nginx.pid")" 2>/dev/null
    sleep 1
    rm -rf "$work"
}
trap cleanup EXIT INT TERM
node bench/shop.mjs "$work"
taskset -c 0 build/attune serve "$work" --data "$work/data" --listen 127.0.0.1:0 --workers 1 2>"$work/log" &
server=$!
for _ in $(seq 100); do grep -q 'listening on' "$work/log" && break; sleep 0.1; done
url=$(sed -n 's/.*listening on \(http:[^ ]*\).*/\1/p' "$work/log")
build/attune import catalog "$work/catalog.jsonl" --shop "$work" >/dev/null 2>&1
node bench/people.mjs "$url"
sleep 4
cat >"$work/nginx.conf" <<CONF
daemon on; pid $work/nginx.pid; error_log $work/nginx.log; worker_processes 1; worker_cpu_affinity 01;
$(for m in ndk_http_module ngx_http_lua_module; do ls /usr/lib/nginx/modules/$m.so /usr/share/nginx/modules/$m.so 2>/dev/null | head -1; done | sed 's/.*/load_module &;/')
events { worker_connections 1024; }
http { access_log off; keepalive_requests 100000000; client_body_buffer_size 1m;
  lua_package_path "$PWD/bench/?.lua;;";
  init_by_lua_block { peer = require "peer"; peer.load("$work/catalog.jsonl") }
  server { listen 127.0.0.1:18191 reuseport; location /plain { return 200 "{}"; } location /lua { content_by_lua_block { ngx.print("{}") } } location /v1/rank { content_by_lua_block { peer.rank() } } } }
CONF
peer=
nginx -c "$work/nginx.conf" -p "$work" 2>"$work/nginx.start" && peer=http://127.0.0.1:18191
load() { # SCRIPT URL [path]
    taskset -c 1 wrk -t1 -c64 -d"${each}s" --latency ${1:+-s "$1"} "$2" 2>&1
}
rate() { sed -n 's/^Requests\/sec: *//p'; }
say() { printf '%-52s %s\n' "$1" "$2"; }
ratio() { awk "BEGIN { printf \"%.2f\", $1 / $2 }"; }
for n in 100 1000; do
    mine=$(load "$work/rank$n.lua" "$url" | rate)
    [ -n "$peer" ] && theirs=$(load "$work/rank$n.lua" "$peer" | rate) && say "rank $n items sent by id, top 24" "attune $mine/s, nginx+LuaJIT $theirs/s: $(ratio "$mine" "$theirs") x" || say "rank $n items" "attune $mine/s"
done
out=$(load "$work/where.lua" "$url")
say "rank a category of 5,000 by where" "$(echo "$out" | rate)/s, p99 $(echo "$out" | awk '/99%/ {print $2}')"
mine=$(load "$work/decide.lua" "$url" | rate)
if [ -n "$peer" ]; then
    plain=$(load "" "$peer/plain" | rate) lua=$(load "" "$peer/lua" | rate)
    say "decide with one product, logged" "attune $mine/s, nginx return 200 $plain/s: $(ratio "$mine" "$plain") x, LuaJIT reply $lua/s: $(ratio "$mine" "$lua") x"
else say "decide with one product, logged" "attune $mine/s"; fi
say "one event of 500 bytes a request, durable" "$(load "$work/event.lua" "$url" | rate)/s"
batches=$(load "$work/batch.lua" "$url" | rate)
say "batches of 100 events, durable" "$(awk "BEGIN { printf \"%.0f\", $batches * 100 }") events/s"
[ -x build/bench/store_append ] || { mkdir -p build/bench; ${CC:-gcc} -O2 -Iruntime -D_GNU_SOURCE bench/store_append.c build/release/libattune.a $(pkg-config --libs lua5.4 libuv sqlite3 zlib libcrypto) -lsimdjson -lstdc++ -lm -ldl -pthread -o build/bench/store_append 2>/dev/null || true; }
mkdir -p "$work/append"
[ -x build/bench/store_append ] && build/bench/store_append "$work/append" 4 | sed 's/^/  /'
say "VmHWM of the server" "$(awk '/VmHWM/ {print $2 / 1024 " MB"}' "/proc/$server/status")"
