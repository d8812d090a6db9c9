#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Ranked lists and decisions over HTTP (bench/RESULTS.md): the released program with keys, log of decisions, metrics and watchdog
# on, one worker; server on one core, load on the other, 64 connections, every request another one. The peers of PEERS (its folder
# http/, as they are, with the five-term rule of bench/peer.lua) in the same run, in turn: medians of ROUNDS=3. Before anything is
# timed, 400 answers of each are compared id by id. `make deps-bench` installs what the peers need.
set -eu
cd "$(dirname "$0")/.."
make -s -j2 all >/dev/null
. bench/common.sh
rounds=${ROUNDS:-3}
program load
node bench/shop.mjs "$work"
serve "$work" "$work/data" "$work/log"
attune=$at
build/attune import catalog "$work/catalog.jsonl" --shop "$work" >/dev/null 2>&1
node bench/people.mjs "$url"
sleep 3
machine

# --- peers ------------------------------------------------------------------------
mkdir -p "$work/src"
node bench/same.mjs dump "$url" "$work"
peers= urls=
peer() { # NAME PORT COMMAND…
    name=$1 port=$2
    shift 2
    $on_server "$@" >"$work/$name.log" 2>&1 &
    pids="$pids $!"
    for _ in $(seq 100); do
        curl -s -o "$work/hello" -d '{"user":"u-1","items":["SKU-1"]}' "http://127.0.0.1:$port/top" && { peers="$peers $name=127.0.0.1:$port" urls="$urls http://127.0.0.1:$port"; return; }
        sleep 0.1
    done
    say "$name" "did not start: $(tail -1 "$work/$name.log")"
}
if [ -d "$PEERS/http" ]; then
    cp bench/peer.lua "$work/src/score.lua"
    cp "$PEERS/http/gen.lua" "$work/src/"
    sed "s|@RUN@|$work|g; s|@SRC@|$work/src|g; s|@PORT@|18191|g; s|@MODULES@|/usr/lib/nginx/modules|g" "$PEERS/http/nginx.conf.in" >"$work/nginx.conf"
    chmod -R a+rX "$work/src"
    command -v nginx >/dev/null && peer nginx+LuaJIT 18191 nginx -c "$work/nginx.conf" -p "$work"
    command -v luajit >/dev/null && peer luv+LuaJIT 18192 luajit "$PEERS/http/luvserver.lua" 18192 "$work/src"
    command -v lua5.4 >/dev/null && peer luv+Lua5.4 18193 lua5.4 "$PEERS/http/luvserver.lua" 18193 "$work/src"
    node bench/same.mjs compare "$url" "$work" $urls
else
    say "peers" "none: PEERS names no folder with http/"
fi

# --- figures ----------------------------------------------------------------------
rates() { # CASE HOST:PORT FILE: one round, its rate noted under CASE
    load -x '"fallback"' "$2" "$work/$3" | value rate >>"$work/rates.$1"
}
against() { # WHAT CASE: attune's median against each peer's
    mine=$(median <"$work/rates.attune")
    line="attune $mine/s"
    for file in "$work"/rates.*; do
        name=${file#"$work"/rates.}
        [ "$name" = attune ] || line="$line; $name $(median <"$file")/s: $(ratio "$mine" "$(median <"$file")") x"
    done
    rm -f "$work"/rates.*
    say "$1" "$line"
}
p99_at_half() { # FILE: at half of `mine`
    say "  at half load ($(half "$mine")/s)" "$(load -x '"fallback"' -r "$(half "$mine")" "$attune" "$work/$1" | sed 's/ requests.*//; s/rate=[^ ]* //')"
}
for n in 100 1000; do
    for _ in $(seq "$rounds"); do
        rates attune "$attune" "rank$n"
        for p in $peers; do rates "${p%%=*}" "${p#*=}" "rank$n.peer"; done
    done
    against "rank $n items sent by id, top 24"
    p99_at_half "rank$n"
done
for _ in $(seq "$rounds"); do rates attune "$attune" where; done
against "rank a category of 5,000 by where"
p99_at_half where
for _ in $(seq "$rounds"); do
    rates attune "$attune" decide
    case $peers in *nginx*) rates "nginx return 200" 127.0.0.1:18191 plain; rates "LuaJIT reply" 127.0.0.1:18191 a1 ;; esac
done
against "decide with one product, logged"
p99_at_half decide
say "VmHWM of the server" "$(awk '/VmHWM/ {print $2 / 1024 " MB"}' "/proc/$server/status")"
