#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Whether a property test notices a fault: builds the test against its source with one line wrong (tests/planted.list), runs it, and
# the property must fail.
#   sh tools/planted.sh PROPERTY      sh tools/planted.sh list
set -eu
cd "$(dirname "$0")/.."
if [ "$1" = list ]; then
    sed -n 's/^[a-z][a-z_]* \([a-z_:]*\) .*/\1/p' tests/planted.list
    exit 0
fi
property=$1
line=$(grep "^[a-z_]* $property " tests/planted.list) || { echo "tests/planted.list has no fault for $property"; exit 1; }
read -r test _ file fault <<END
$line
END
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
sed "$fault" "runtime/$file" >"$work/$(basename "$file")"
if cmp -s "runtime/$file" "$work/$(basename "$file")"; then
    echo "runtime/$file has no line for this fault any more: $fault"
    exit 1
fi
if [ "$test" = http ]; then # tests/http/PROPERTY.test.mjs (what is behind a colon tells its faults apart), against the whole program
    make -s MODE=release faulty-program FAULTY="$work/$(basename "$file")" OUT="$work/attune"
    if ATTUNE="$work/attune" KILL_ROUNDS=5 CUT_ROUNDS=10 RUNS=200 STORM_SECONDS=2 node --test "tests/http/${property%%:*}.test.mjs" >"$work/log" 2>&1; then
        echo "$property does not notice the fault in runtime/$file: $fault"
        exit 1
    fi
    exit 0
fi
make -s MODE=release faulty TEST="$test" FAULTY="$work/$(basename "$file")" OUT="$work/test"
test_name=${property%%:*}
if ONLY=$test_name timeout 120 "$work/test" >"$work/log" 2>&1; then
    echo "$property does not notice the fault in runtime/$file: $fault"
    exit 1
fi
# By the property itself: it alone was run, and failed, or the program ended in it.
if ! grep -qE "^\[ RUN      \] $test_name$" "$work/log"; then
    echo "there is no test $test_name in $test, or it did not run:"
    tail -5 "$work/log"
    exit 1
fi
