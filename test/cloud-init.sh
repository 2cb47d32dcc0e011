#!/bin/sh
# Fetches Debian's cloud-init for the tests that ask its own validator and its own code about what azlin
# renders, and unpacks it into the cache. It is not installed: installed, it would run on this machine at
# the next boot, and take it for a new one. Only what it imports is installed, which does nothing by itself.
set -eu
cd "$(dirname "$0")"

cache=${XDG_CACHE_HOME:-$HOME/.cache}/azlin-test
./prerequisites.sh python:configobj=python3-configobj python:jinja2=python3-jinja2 python:jsonpatch=python3-jsonpatch \
    python:jsonschema=python3-jsonschema python:netifaces=python3-netifaces python:oauthlib=python3-oauthlib \
    python:requests=python3-requests python:serial=python3-serial python:yaml=python3-yaml
[ ! -e "$cache/cloud-init/usr/bin/cloud-init" ] || exit 0

fresh=$(mktemp -d)
trap 'rm -rf "$fresh"' EXIT
mkdir -p "$cache"
(cd "$fresh" && apt-get download -qq cloud-init 2>/dev/null && dpkg-deb -x cloud-init_*.deb unpacked) || {
    echo "cloud-init cannot be fetched: 'apt-get download cloud-init' fails" >&2
    exit 2
}
chmod 0755 "$fresh/unpacked"
mv -T "$fresh/unpacked" "$cache/cloud-init" 2>/dev/null || [ -e "$cache/cloud-init/usr/bin/cloud-init" ] # another one was first
