#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Installs by package name what the benches compare with and count by. Debian and Ubuntu; elsewhere it says what is needed. No server is
# left running: the benches start and end their own.
set -eu
packages="nginx libnginx-mod-http-lua lua-cjson lua-luv luajit2 lua5.4 postgresql postgresql-client redis-server redis-tools curl nodejs python3 valgrind"
if ! command -v apt-get >/dev/null 2>&1; then
    echo "the benches compare with these (names as in Debian): $packages" >&2
    exit 0
fi
missing=
for p in $packages; do
    if [ "$p" = nodejs ] && command -v node >/dev/null 2>&1; then continue; fi
    dpkg-query -W -f='${Status}' "$p" 2>/dev/null | grep -q 'ok installed' || missing="$missing $p"
done
[ -z "$missing" ] && exit 0
echo "installing:$missing"
sudo=
[ "$(id -u)" = 0 ] || sudo=sudo
export DEBIAN_FRONTEND=noninteractive
$sudo apt-get install -y --no-install-recommends $missing >/dev/null
