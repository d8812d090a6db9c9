#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# A rule of plain Lua with three ifs over 1,000 products: compiled (bench/ifs.c), and LuaJIT's own loop, in turn on one core.
set -eu
cd "$(dirname "$0")/.."
make -s -j2 all >/dev/null
. bench/common.sh
program ifs $(pkg-config --cflags lua5.4) $libs
machine
for _ in 1 2 3; do
    $on_server build/bench/ifs "$work"
    $on_server luajit bench/ifs.lua "$work"
done
