# SPDX-License-Identifier: Apache-2.0
# What the benches share: a folder that goes away, servers on one core that end with the script, the load on the other. Sourced from
# the project's folder, after `set -eu`. SECONDS_EACH: how long each figure is loaded; SERVER_CORE=0 LOAD_CORE=1.
# PEERS: the folder of the peers' scripts; without it there is no comparison. Servers (peers too) and loads run with a higher priority
# where that is allowed, so that other programs on the machine show less in the figures; at the end it is said how much they used.
each=${SECONDS_EACH:-5} server_core=${SERVER_CORE:-0} load_core=${LOAD_CORE:-1}
PEERS=${PEERS:-../shared/peers}
libs="build/release/libattune.a $(make -s libs) -pthread"
on_server="taskset -c $server_core" on_load="taskset -c $load_core"
prioritize() { # by nice, and for the session where the kernel groups by session
    renice -n "$1" -p $$ >/dev/null 2>&1 || true
    [ ! -w /proc/self/autogroup ] || echo "$1" 2>/dev/null >/proc/self/autogroup || true
}
prioritize "${PRIORITY:--15}"
busy() { awk 'NR == 1 { print ($2 + $3 + $4 + $8 + $9) / 100 }' /proc/stat; } # seconds of all programs, and what the host took
busy_before=$(busy) began_at=$(date +%s%N)
work=$(mktemp -d)
chmod 755 "$work"
pids=
cleanup() {
    for pid in $pids; do kill "$pid" 2>/dev/null && wait "$pid" 2>/dev/null || true; done
    times >"$work/times" # not in a pipe: a subshell has times of its own
    awk -v busy="$(busy)" -v before="$busy_before" -v wall="$(($(date +%s%N) - began_at))" '
        { for (i = 1; i <= 2; i++) { split($i, t, "m"); own += t[1] * 60 + t[2] } }
        END { share = 100 * (busy - before - own) / (wall / 1e9); if (share < 0) share = 0; printf "%-44s %.0f %% of a core on average\n", "other programs used meanwhile", share }' "$work/times"
    rm -rf "$work"
    prioritize 0
}
trap cleanup EXIT
trap 'exit 130' INT TERM

program() { # NAME [LIBRARIES]: builds bench/NAME.c into build/bench
    mkdir -p build/bench
    name=$1
    shift
    [ "build/bench/$name" -nt "bench/$name.c" ] && [ "build/bench/$name" -nt build/release/libattune.a ] ||
        ${CC:-gcc} -O2 -std=gnu11 -D_GNU_SOURCE -Wall -Wextra -ffp-contract=off -Iruntime -o "build/bench/$name" "bench/$name.c" "$@"
}
serve() { # FOLDER DATA LOG [OPTIONS]: starts attune; sets url, at (HOST:PORT) and server (its pid)
    log=$3 folder=$1 data=$2
    shift 3
    $on_server build/attune serve "$folder" --data "$data" --listen 127.0.0.1:0 --workers "${workers:-1}" "$@" 2>"$log" &
    server=$!
    pids="$pids $server"
    for _ in $(seq 600); do
        grep -q 'listening on' "$log" && break
        kill -0 "$server" 2>/dev/null || { cat "$log" >&2; exit 1; }
        sleep 0.1
    done
    url=$(sed -n 's/.*listening on \(http:[^ ]*\).*/\1/p' "$log" | head -1)
    at=${url#http://}
}
stop() { # the server, cleanly
    kill "$server" && wait "$server" || true
}
cpu() { awk '{ print $14 + $15 }' "/proc/$server/stat"; } # in hundredths of a second
settle() { # waits until the server rests (under 5 % of a core for 2 s); prints the seconds until then
    waited=0 rest=0 before=$(cpu)
    while [ $rest -lt 4 ] && [ $waited -lt 1200 ]; do
        sleep 0.5
        waited=$((waited + 1)) now=$(cpu)
        [ $((now - before)) -le 2 ] && rest=$((rest + 1)) || rest=0
        before=$now
    done
    awk "BEGIN { print ($waited - $rest) / 2 }"
}
past() { # FOLDER PROFILES EACH: a shop with that past in FOLDER (its data in FOLDER/data), made if it is not there yet; 250 events a batch
    [ -e "$1/past.$2.$3" ] && return
    prioritize 10 # not measured: others first
    rm -rf "$1/data"
    mkdir -p "$1"
    node bench/shop.mjs "$1"
    build/attune serve "$1" --data "$1/data" --listen 127.0.0.1:0 2>"$1/log" &
    server=$!
    pids="$pids $server"
    for _ in $(seq 100); do grep -q 'listening on' "$1/log" && break; sleep 0.1; done
    at=$(sed -n 's/.*listening on http:..\([^ ]*\).*/\1/p' "$1/log")
    build/attune import catalog "$1/catalog.jsonl" --shop "$1" >/dev/null 2>&1
    line=$(build/bench/load -n $(($2 * $3 / 250)) -p "$2" -o "$3" -x '"invalid"' "$at" "$1/past")
    say "loading $2 profiles with $3 events each" "$(echo "$line" | value rate | awk '{ printf "%.0f", 250 * $1 }') events/s, then $(settle) s until it rests; disk $(du -sh "$1/data" | cut -f1), VmHWM $(awk '/VmHWM/ { printf "%.0f", $2 / 1024 }' "/proc/$server/status") MB"
    stop
    touch "$1/past.$2.$3"
    prioritize "${PRIORITY:--15}"
}
load() { $on_load build/bench/load -d "$each" "$@"; }
value() { sed -n "s/.*\b$1=\([^ ]*\).*/\1/p"; }
median() { sort -g | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }
ratio() { awk "BEGIN { printf \"%.2f\", $1 / $2 }"; }
half() { awk "BEGIN { printf \"%d\", $1 / 2 }"; }
say() { printf '%-44s %s\n' "$1" "$2"; }
machine() { # what the figures were measured on
    say "machine" "$(nproc) cores, $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -1), load before: $(cut -d' ' -f1 /proc/loadavg); $(git rev-parse --short HEAD 2>/dev/null || true), $(date -u +%F)"
}
