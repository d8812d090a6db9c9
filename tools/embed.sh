#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Prints a C file that holds every .lua and .jsonl file below the given folders as text, in path order.
set -eu
echo '/* made by tools/embed.sh: the files of stdlib/ and scripts/ as text */'
echo '#include "language/embedded.h"'
i=0
for f in $(find "$@" -name '*.lua' -o -name '*.jsonl' 2>/dev/null | LC_ALL=C sort); do
    i=$((i + 1))
    printf 'static const unsigned char text_%d[] = {' "$i"
    od -An -v -tx1 "$f" | sed 's/ \([0-9a-f][0-9a-f]\)/0x\1,/g'
    echo '0};'
done
echo 'const struct at_embedded at_embedded_files[] = {'
i=0
for f in $(find "$@" -name '*.lua' -o -name '*.jsonl' 2>/dev/null | LC_ALL=C sort); do
    i=$((i + 1))
    printf '    {"%s", (const char *)text_%d, sizeof(text_%d) - 1},\n' "$f" "$i" "$i"
done
echo '    {0, 0, 0}};'
