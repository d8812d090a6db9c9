#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Which share of its parser's lines the committed corpus of each fuzz target runs; under 90 % of any file it fails. The files are
# named in the target: "// Covers: runtime/base/csv.c". VERBOSE=1: the lines that no seed reaches.
set -eu
cd "$(dirname "$0")/.."
least=${LEAST:-90}
make -s -j"$(nproc)" MODE=cov lib >/dev/null
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
flags="-Iruntime -D_GNU_SOURCE -g -O0 --coverage $(pkg-config --cflags lua5.4) -isystem /usr/share/include/llhttp -DLLHTTP_STRICT_MODE=1"
libs="build/cov/libattune.a $(make -s libs) -pthread"
bad=0
for target in tests/fuzz/*_fuzz.c; do
    name=$(basename "$target" _fuzz.c)
    mkdir "$work/$name"
    gcc $flags "$target" tests/fuzz/replay.c $libs -o "$work/$name/replay"
    # Each target counts in a folder of its own; the notes of the build lie beside the objects.
    GCOV_PREFIX="$work/$name/counts" "$work/$name/replay" tests/fuzz/seeds/"$name"/* >"$work/log" 2>&1 || {
        echo "$name: a seed fails"
        tail -20 "$work/log"
        exit 1
    }
    files=$(sed -n 's|^// Covers: ||p' "$target")
    [ -n "$files" ] || { echo "$target does not say which parser it covers"; bad=1; }
    for file in $files; do
        object=$PWD/build/cov/${file%.*}
        counts=$work/$name/counts$object.gcda
        [ -e "$counts" ] || { echo "coverage: $name 0 % of $file"; bad=1; continue; }
        cp "$object.gcno" "${counts%.gcda}.gcno"
        share=$(cd "$work/$name" && gcov -n -s "$OLDPWD" "$counts" 2>/dev/null | grep -A1 "^File '$file'" | sed -n 's/^Lines executed:\([0-9.]*\)%.*/\1/p')
        echo "coverage: $name ${share:-0} % of $file"
        awk "BEGIN { exit !(${share:-0} < $least) }" && bad=1
        [ -z "${VERBOSE:-}" ] || gcov -t "$counts" 2>/dev/null | grep -A100000 "Source:$file" | awk -F: 'NR > 1 && $3 == "Source" { exit } /#####/'
    done
done
[ $bad = 0 ] || echo "a corpus under $least %: add seeds to tests/fuzz/seeds/"
exit $bad
