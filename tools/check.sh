#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Format, lint, the line of rooms, headers by themselves, sizes. Prints what is wrong; ends with 1 if anything is.
set -eu
cd "$(dirname "$0")/.."
bad=0
say() { echo "check: $*"; bad=1; }

# --- the SPDX line --------------------------------------------------------------
# Inputs of tests are data: hostile scripts and fuzz seeds are what they are, byte by byte.
for f in $(git ls-files --cached --others --exclude-standard | grep -E '\.(c|cc|h|lua|sh|mjs|mk|py)$|^Makefile$|^\.ci/run$' | grep -vE '^tests/(hostile|fuzz/seeds)/'); do
    [ -e "$f" ] || continue
    head -3 "$f" | grep -q 'SPDX-License-Identifier: Apache-2.0' || say "$f: no SPDX line"
done

# --- the line of rooms ----------------------------------------------------------
# A room includes only rooms to its left; net, store and script do not know each other.
rank() {
    case $1 in
    base) echo 1 ;; loop) echo 2 ;; net | store | script) echo 3 ;; catalog) echo 4 ;; profile) echo 5 ;; rail) echo 6 ;;
    ranking) echo 7 ;; measure) echo 8 ;; language) echo 9 ;; shop) echo 10 ;; api | cli) echo 11 ;; *) echo 0 ;;
    esac
}
for f in runtime/*/*.[ch] runtime/*/*.cc; do
    [ -e "$f" ] || continue
    room=$(echo "$f" | cut -d/ -f2)
    mine=$(rank "$room")
    [ "$mine" != 0 ] || say "$f: $room is no room of the line"
    for other in $(sed -n 's/^[[:space:]]*#[[:space:]]*include[[:space:]]*"\([a-z]*\)\/.*/\1/p' "$f" | sort -u); do
        theirs=$(rank "$other")
        [ "$other" = "$room" ] && continue
        if [ "$room" = cli ] && [ "$other" = api ]; then continue; fi
        if [ "$theirs" = 0 ] || [ "$theirs" -ge "$mine" ]; then say "$f includes $other/: not to its left"; fi
    done
    while read -r header rooms; do
        grep -Eq "^[[:space:]]*#[[:space:]]*include[[:space:]]*[<\"]$header[>\"]" "$f" || continue
        case " $rooms " in *" $room "*) ;; *) say "$f includes $header: only $rooms may" ;; esac
    done <<'LIST'
lua.h script language
lauxlib.h script language
lualib.h script language
sqlite3.h store
uv.h loop net
llhttp.h net
simdjson.h base
phonenumbers/phonenumberutil.h base
idn2.h profile
LIST
done

# --- headers by themselves ------------------------------------------------------
flags="-Iruntime -D_GNU_SOURCE $(pkg-config --cflags lua5.4 libuv sqlite3 2>/dev/null) -isystem /usr/share/include/llhttp"
for h in runtime/*.h runtime/*/*.h; do
    echo "#include \"${h#runtime/}\"" | ${CC:-gcc} $flags -std=c11 -fsyntax-only -x c - 2>/dev/null || say "$h does not stand by itself"
done

# --- format and lint ------------------------------------------------------------
if command -v clang-format >/dev/null 2>&1; then
    clang-format --dry-run --Werror $(git ls-files --cached --others --exclude-standard 'runtime/*.[ch]' 'runtime/*.cc') >/dev/null 2>&1 || say "clang-format: run make format"
fi
for f in tools/*.sh .ci/run bench/*.sh; do [ -e "$f" ] && { sh -n "$f" || say "$f: not a shell script"; }; done
for f in $(git ls-files --cached --others --exclude-standard '*.mjs'); do [ -e "$f" ] && { node --check "$f" >/dev/null 2>&1 || say "$f: node --check fails"; }; done
for f in $(git ls-files --cached --others --exclude-standard 'scripts/*.lua' 'stdlib/*.lua' 'examples/*.lua'); do
    [ -e "$f" ] && command -v luac5.4 >/dev/null 2>&1 && { luac5.4 -p "$f" || say "$f: not Lua"; }
done
if grep -rnE '(^|[^a-z_])(strcpy|strcat|sprintf|gets)\(' runtime --include='*.c' | grep -v 'check: bounded' | grep -q .; then
    grep -rnE '(^|[^a-z_])(strcpy|strcat|sprintf|gets)\(' runtime --include='*.c' | grep -v 'check: bounded' | sed 's/^/check: unbounded: /'
    bad=1
fi

# --- the reference --------------------------------------------------------------
sh tools/reference.sh --check || bad=1

# --- sizes ----------------------------------------------------------------------
echo "lines of C by room:"
for room in base loop net store script catalog profile rail ranking measure language shop api cli; do
    [ -d "runtime/$room" ] && printf '  %-9s %6d lines, %3d files\n' "$room" "$(cat runtime/$room/*.[ch] runtime/$room/*.cc 2>/dev/null | wc -l)" "$(ls runtime/$room | wc -l)"
done
for f in runtime/*.c runtime/*/*.[ch] runtime/*/*.cc; do
    [ -e "$f" ] || continue
    n=$(wc -l <"$f")
    [ "$n" -le 700 ] || say "$f has $n lines: rooms have small files"
done
[ $bad = 0 ] && echo "check: good"
exit $bad
