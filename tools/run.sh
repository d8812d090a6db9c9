#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# make run: installs what is missing, builds, serves the example shop with its products and some days of shoppers.
# PORT=8080 chooses the port; a port that is taken is replaced by a free one.
set -eu
cd "$(dirname "$0")/.."
sh tools/deps.sh run
make -s -j"$(nproc 2>/dev/null || echo 2)" all >/dev/null
data=build/run
rm -rf "$data"
mkdir -p "$data"
log=$data/server.log
start() {
    build/attune serve examples/outfitter --data "$data/shop" --listen "127.0.0.1:$1" 2>"$log" &
    server=$!
    for _ in $(seq 100); do
        grep -q 'listening on' "$log" && return 0
        kill -0 "$server" 2>/dev/null || return 1
        sleep 0.1
    done
    return 1
}
start "${PORT:-8080}" || start 0 || { cat "$log"; exit 1; }
trap 'kill "$server" 2>/dev/null; wait "$server" 2>/dev/null; exit 0' INT TERM
url=$(sed -n 's/.*listening on \(http:[^ ]*\).*/\1/p' "$log" | tail -1)
build/attune import catalog examples/outfitter/catalog.jsonl --shop examples/outfitter --data "$data/shop"
node examples/outfitter/traffic.mjs --url "$url" --shoppers "${SHOPPERS:-200}"
sleep 2
cat <<TEXT

The shop is open at $url. Try:

  # two shoppers, one list, two orders
  curl -s $url/v1/rank -d '{"customer":{"anonymous_id":"shopper-7-001"},"ranking":"for_you","where":{},"limit":5,"context":{"page":"home"}}'
  curl -s $url/v1/rank -d '{"customer":{"anonymous_id":"shopper-7-002"},"ranking":"for_you","where":{},"limit":5,"context":{"page":"home"}}'

  # why is it so?
  curl -s $url/v1/rank -d '{"customer":{"anonymous_id":"shopper-7-001"},"ranking":"collection","where":{"category":"jackets"},"limit":3,"explain":true}'

Change a number in examples/outfitter/scripts/rankings/collection.lua, save, and ask again. Ctrl-C ends it.
TEXT
[ "${ONCE:-}" ] && { kill "$server"; wait "$server"; exit 0; }
wait "$server"
