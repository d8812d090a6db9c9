#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Lua that others wrote, for the parser to be judged by (tests/unit/language_luac_test.c): the .lua and .nse files of some small
# packages into build/lua-files, unpacked beside the system, so that nothing is installed and nothing depends. Again it does nothing.
set -eu
cd "$(dirname "$0")/.."
packages="nmap-common awesome awesome-extra luarocks prosody-modules lua-check lua-penlight lua-busted"
target=$PWD/build/lua-files
[ ! -e "$target/.ready" ] || exit 0
if ! command -v apt-get >/dev/null 2>&1; then
    echo "Lua files for the parser's test come from packages of Debian; elsewhere put 1,000 or more into build/lua-files" >&2
    exit 0
fi
mkdir -p build
work=$(mktemp -d build/lua-files.XXXXXX)
trap 'rm -rf "$work"' EXIT
sudo=
[ "$(id -u)" = 0 ] || sudo=sudo
fetch() { (cd "$work" && apt-get download $packages >/dev/null 2>&1); }
fetch || { $sudo apt-get update -qq && fetch; }
mkdir "$work/files"
for deb in "$work"/*.deb; do
    dpkg-deb --fsys-tarfile "$deb" | tar -x -C "$work/files" --wildcards '*.lua' '*.nse' 2>/dev/null || true # one of the two is enough
done
touch "$work/files/.ready"
rm -rf "$target"
mv "$work/files" "$target"
