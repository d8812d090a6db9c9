#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# One fuzz target from its committed seeds for some seconds, then with a planted fault, which must be found. The fault is in the
# target or in the parser it names ("Covers: runtime/base/csv.c"), behind AT_PLANT_FAULT; it is looked for with a fixed seed, so
# that every run looks alike.
#   sh tools/fuzz.sh tests/fuzz/json_fuzz.c SECONDS
set -eu
cd "$(dirname "$0")/.."
target=$1 seconds=${2:-20}
name=$(basename "$target" _fuzz.c)
if ! echo 'int LLVMFuzzerTestOneInput(const unsigned char *d, unsigned long n) { return d && n > 9; }' |
    clang -x c - -fsanitize=fuzzer -o /dev/null 2>/dev/null; then
    echo "skipped: no data (this machine's clang has no fuzzer)"
    exit 0
fi
make -s -j2 MODE=fuzz lib >/dev/null
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
flags="-Iruntime -D_GNU_SOURCE -DAT_FUZZ -g -O1 -fsanitize=fuzzer,address,undefined $(pkg-config --cflags lua5.4) -isystem /usr/share/include/llhttp -DLLHTTP_STRICT_MODE=1"
libs="build/fuzz/libattune.a $(make -s libs) -pthread"
clang $flags "$target" $libs -o "$work/fuzz"
mkdir "$work/corpus" "$work/found"
cp -r "tests/fuzz/seeds/$name/." "$work/corpus/"
"$work/fuzz" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2000 -print_final_stats=1 -artifact_prefix="$work/found/" "$work/corpus" >"$work/log" 2>&1 || {
    tail -40 "$work/log"
    mkdir -p build/found && cp "$work"/found/* build/found/ 2>/dev/null && echo "kept in build/found: $(ls "$work/found")"
    exit 1
}
echo "property: $(sed -n 's/^stat::number_of_executed_units: *//p' "$work/log") inputs in $seconds s, seed $(sed -n 's/^INFO: Seed: //p' "$work/log")"
faulty=$(grep -l AT_PLANT_FAULT $(sed -n 's|^// Covers: ||p' "$target") || true)
if [ -z "$faulty" ] && ! grep -q AT_PLANT_FAULT "$target"; then
    echo "no fault is planted for $target"
    exit 1
fi
# A parser's object that is named stands before the library's.
clang $flags -DAT_PLANT_FAULT "$target" $faulty $libs -o "$work/planted"
mkdir "$work/again"
cp -r "tests/fuzz/seeds/$name/." "$work/again/"
begin=$(date +%s)
if "$work/planted" -seed=1 -use_value_profile=1 -max_total_time="$((seconds * 9))" -timeout=10 -artifact_prefix="$work/found/" "$work/again" >"$work/log" 2>&1; then
    echo "the planted fault was not found in $((seconds * 9)) s"
    exit 1
fi
echo "property: the planted fault was found in $(($(date +%s) - begin)) s"
