# SPDX-License-Identifier: Apache-2.0
# What the benches share: a folder that goes away, servers on one core that end with the script, the load on the other. Sourced from
# the project's folder, after `set -eu`. SECONDS_EACH: how long each figure is loaded; SERVER_CORE=0 LOAD_CORE=1.
# PEERS: the folder of the peers' scripts; without it there is no comparison.
each=${SECONDS_EACH:-5} server_core=${SERVER_CORE:-0} load_core=${LOAD_CORE:-1}
PEERS=${PEERS:-../shared/peers}
libs="build/release/libattune.a $(pkg-config --libs lua5.4 libuv sqlite3 zlib libcrypto) -lsimdjson -lstdc++ -lm -ldl -pthread"
work=$(mktemp -d)
chmod 755 "$work"
pids=
cleanup() {
    for pid in $pids; do kill "$pid" 2>/dev/null && wait "$pid" 2>/dev/null || true; done
    rm -rf "$work"
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
    taskset -c "$server_core" build/attune serve "$folder" --data "$data" --listen 127.0.0.1:0 --workers 1 "$@" 2>"$log" &
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
load() { taskset -c "$load_core" build/bench/load -d "$each" "$@"; }
value() { sed -n "s/.*\b$1=\([^ ]*\).*/\1/p"; }
median() { sort -g | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }
ratio() { awk "BEGIN { printf \"%.2f\", $1 / $2 }"; }
half() { awk "BEGIN { printf \"%d\", $1 / 2 }"; }
say() { printf '%-44s %s\n' "$1" "$2"; }
machine() { # what the figures were measured on
    say "machine" "$(nproc) cores, $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -1), load before: $(cut -d' ' -f1 /proc/loadavg); $(git rev-parse --short HEAD 2>/dev/null || true), $(date -u +%F)"
}
