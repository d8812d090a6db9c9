#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What the budget guard costs rules that behave: bench/guard.c over the shop of bench/shop.mjs, on one core.
set -eu
cd "$(dirname "$0")/.."
make -s -j2 all >/dev/null
. bench/common.sh
program guard $(pkg-config --cflags lua5.4) -Wl,--wrap=at_script_limiter_enter -Wl,--wrap=at_script_limiter_leave $libs
node bench/shop.mjs "$work"
machine
$on_server build/bench/guard "$work"
