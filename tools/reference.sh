#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Writes docs/reference/ from the vocabulary, into the folder given or there. --check: says what is stale instead.
set -eu
cd "$(dirname "$0")/.."
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
${CC:-gcc} -std=c11 -D_GNU_SOURCE -Iruntime -o "$work/reference" tools/reference.c runtime/language/reference.c \
    runtime/language/vocabulary*.c runtime/base/bytes.c runtime/base/utf8.c
if [ "${1:-}" = --check ]; then
    mkdir "$work/pages"
    "$work/reference" "$work/pages"
    diff -r "$work/pages" docs/reference >/dev/null 2>&1 || { echo "docs/reference is stale: make reference"; exit 1; }
    exit 0
fi
to=${1:-docs/reference}
mkdir -p "$to"
"$work/reference" "$to"
