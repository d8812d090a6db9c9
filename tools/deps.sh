#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Installs what is missing, by package name. Debian and Ubuntu; elsewhere it says what is needed.
# sh tools/deps.sh run: without the browser, which is large and only for tests.
set -eu
packages="build-essential pkg-config clang clang-format liblua5.4-dev lua5.4 libuv1-dev libsqlite3-dev libsimdjson-dev
zlib1g-dev libssl-dev libidn2-dev libphonenumber-dev libxxhash-dev libcmocka-dev nodejs npm tzdata python3 curl openssl"
if ! command -v apt-get >/dev/null 2>&1; then
    echo "attune needs these (names as in Debian): $packages and llhttp; its tests chromium" >&2
    exit 0
fi
# chromium: the tests of a storefront's page are in a real browser. It may have come another way; Ubuntu's package is only a
# pointer to a snap.
if [ "${1:-}" != run ] && [ -z "${CHROMIUM:-}" ] && ! command -v chromium >/dev/null 2>&1; then
    if grep -qx 'ID=ubuntu' /etc/os-release 2>/dev/null; then
        echo "Ubuntu has no package of chromium: tests/http/browser.test.mjs needs one, CHROMIUM=/path/to/it" >&2
    else packages="$packages chromium"; fi
fi
# llhttp: its sources come with node-llhttp on Debian 12, as libllhttp-dev later.
if [ ! -e /usr/share/llhttp/llhttp.c ] && ! pkg-config --exists libllhttp 2>/dev/null; then
    if apt-cache show libllhttp-dev 2>/dev/null | grep -q '^Package'; then packages="$packages libllhttp-dev"; else packages="$packages node-llhttp"; fi
fi
missing=
for p in $packages; do
    # node may have come another way than from the package
    if [ "$p" = nodejs ] && command -v node >/dev/null 2>&1; then continue; fi
    if [ "$p" = npm ] && command -v npm >/dev/null 2>&1; then continue; fi
    dpkg-query -W -f='${Status}' "$p" 2>/dev/null | grep -q 'ok installed' || missing="$missing $p"
done
# The fuzzers' runtime belongs to the version of clang.
version=$(clang --version 2>/dev/null | sed -n 's/.*version \([0-9]*\)\..*/\1/p' | head -1)
if [ -n "$version" ] && ! dpkg-query -W "libclang-rt-$version-dev" >/dev/null 2>&1; then missing="$missing libclang-rt-$version-dev"; fi
[ -z "$missing" ] && exit 0
echo "installing:$missing"
sudo=
[ "$(id -u)" = 0 ] || sudo=sudo
export DEBIAN_FRONTEND=noninteractive
$sudo apt-get install -y --no-install-recommends $missing >/dev/null 2>&1 || {
    $sudo apt-get update -qq
    $sudo apt-get install -y --no-install-recommends $missing >/dev/null
}
