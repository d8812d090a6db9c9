#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What takes longer: 200 kills, 200 power cuts, 1,000 reloads, a million steps of random lives, the properties with ten other seeds, ten minutes a fuzz target; in all
# about two hours. SOAK_SHARE=20: that many percent of each, to see that all of it runs.
set -u
cd "$(dirname "$0")/.."
share=${SOAK_SHARE:-100}
of() { n=$(($1 * share / 100)); [ "$n" -gt "$2" ] && echo "$n" || echo "$2"; } # OF_ALL AT_LEAST
: "${SHARED_DATA:=../shared/data}"
SHARED_DATA=$(cd "$SHARED_DATA" 2>/dev/null && pwd || echo "$SHARED_DATA")
export SHARED_DATA LIMIT=7200
log=$(mktemp)
trap 'rm -f "$log"' EXIT
run() { # NAME COMMAND…: as in the suite, one line and what went wrong
    sh tools/test.sh one "$@" | tee -a "$log"
}
run "kills and power cuts" env KILL_ROUNDS="$(of 200 5)" CUT_ROUNDS="$(of 200 8)" node --test tests/http/kill.test.mjs
run "reloads" env STORM_RELOADS="$(of 1000 200)" node --test tests/http/scripts.test.mjs
run "lives" env RUNS="$(of 16667 200)" node --test tests/http/people.test.mjs
run "imports killed" env KILL_ROUNDS="$(of 200 5)" node --test --test-name-pattern "kill -9" tests/http/import.test.mjs
run "backups killed" env ROUNDS="$(of 60 3)" node --test --test-name-pattern killed tests/http/backup.test.mjs
run "fold anew" node --test tests/http/fold.test.mjs
run "budgets" env CALLS="$(of 3000 300)" node --test tests/http/budget.test.mjs
make -s unit-build >/dev/null || exit 1
run "compiled rules" env RUNS="$(of 2000 52)" ATTUNE_SEED="$(date +%s)" build/release/tests/language_compile_test
for seed in $(seq "$(of 10 1)"); do
    seed=$((seed * 7919 + $(date +%s)))
    for property in $(sed -n 's/^\([a-z_]*_test\) .*/\1/p' tests/planted.list | sort -u); do
        run "seed $seed $property" env AT_SEED=$seed ATTUNE_SEED=$seed "build/release/tests/$property"
    done
done
run "patterns as stock ones" env PATTERN_CASES="$(of 1000000 50000)" build/release/tests/script_pattern_test
sh tools/lua-files.sh
run "the parser by luac" env MUTANTS="$(of 1000000 20000)" NODE_FILES=1 build/release/tests/language_luac_test
run "shops at random" env SHOP_CASES="$(of 100000 1000)" ATTUNE_SEED="$(date +%s)" build/release/tests/language_scripts_test
for target in tests/fuzz/*_fuzz.c; do run "fuzz $target" sh tools/fuzz.sh "$target" "$(of "${SOAK_SECONDS:-600}" 5)"; done
failed=$(grep -c '^FAILED' "$log")
echo "soak: $(grep -c '^ok ' "$log") passed, $failed failed, $share % of it"
[ "$failed" = 0 ]
