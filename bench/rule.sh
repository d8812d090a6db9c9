#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# The five-term rule by itself: bench/rule.c over the shop of bench/shop.mjs, on one core.
set -eu
cd "$(dirname "$0")/.."
make -s -j2 all >/dev/null
. bench/common.sh
program rule $(pkg-config --cflags lua5.4) $libs
node bench/shop.mjs "$work"
machine
$on_server build/bench/rule "$work"
