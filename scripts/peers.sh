#!/bin/sh
# Install the real programs that the tests talk to, where that is allowed, and never start one.
#
# LEADGLASS_PEERS=never      install nothing
# LEADGLASS_PEERS=required   fail when one is missing in the end
# otherwise                  install what is missing if we are root and there is apt-get; go on without it if not
set -eu
cd "$(dirname "$0")/.."

wish=${LEADGLASS_PEERS:-}
PATH=$PATH:/usr/sbin:/sbin

present() {
    case $1 in
        -) ;;
        # A wildcard that matches nothing stays as it is, and there is no such file.
        /*) (set +f && for file in $1; do [ -e "$file" ]; done) ;;
        */*) [ -e "$1" ] ;;
        *) command -v "$1" >/dev/null 2>&1 ;;
    esac
}

# One line for each peer that lacks a program: its name, a blank, its packages.
missing() (
    set -f
    grep -v '^#' scripts/peers.txt | while read -r name packages programs; do
        for program in $(echo "$programs" | tr ',' ' '); do
            if ! present "$program"; then
                echo "$name $packages"
                break
            fi
        done
    done
)

# Debian starts a service as soon as it is installed, unless this file says no.
policy=/usr/sbin/policy-rc.d
forbid_services() {
    if [ ! -e "$policy" ]; then
        trap 'rm -f "$policy"' EXIT
        trap 'exit 130' INT TERM
        printf '#!/bin/sh\nexit 101\n' >"$policy"
        chmod 755 "$policy"
    fi
}

apt_install() {
    DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends "$@" </dev/null >/dev/null
}

install_peers() {
    forbid_services
    echo "leadglass: installing real peers, without starting them: $*"
    apt-get -qq update </dev/null || return 0
    if apt_install "$@" 2>/dev/null; then
        return 0
    fi
    # One that this distribution does not have must not keep the others away.
    for package in "$@"; do
        apt_install "$package" || echo "leadglass: $package could not be installed" >&2
    done
}

# The identity provider comes from npm into a folder that git ignores, once for each lock.
oidc=tests/peers/oidc-provider
npm_install() {
    state=$(cat "$oidc/package-lock.json" "$oidc/.npmrc" | cksum)
    [ "$(cat "$oidc/node_modules/leadglass-state" 2>/dev/null)" != "$state" ] || return 0
    echo "leadglass: installing $oidc/package-lock.json with npm"
    if (cd "$oidc" && npm ci --silent </dev/null >/dev/null); then
        echo "$state" >"$oidc/node_modules/leadglass-state"
    else
        # Half of it would pass for all of it.
        rm -rf "$oidc/node_modules"
        echo "leadglass: what $oidc/package-lock.json names could not be installed (Node.js 20.12 or later?)" >&2
    fi
}

# What Debian has of what is missing, one package a line.
packages() { missing | cut -d' ' -f2 | tr ',' '\n' | grep -v '^-$' || true; }

if [ "$wish" != never ]; then
    wanted=$(packages)
    if [ -n "$wanted" ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1; then
        # shellcheck disable=SC2086  # one word a package
        install_peers $wanted
    fi
    if command -v npm >/dev/null 2>&1; then
        npm_install
    fi
fi

lacking=$(missing)

if [ -n "$lacking" ]; then
    names=$(echo "$lacking" | cut -d' ' -f1 | tr '\n' ' ')
    if [ "$wish" = required ]; then
        echo "leadglass: LEADGLASS_PEERS=required, and these peers are missing: $names" >&2
        exit 1
    fi
    echo "leadglass: peers missing: $names(their tests are skipped)"
fi
