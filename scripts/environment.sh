#!/bin/sh
# Make .venv what the locks say; do nothing when it is that already.
#
#   scripts/environment.sh base   what runs Leadglass
#   scripts/environment.sh demo   and its guard
#   scripts/environment.sh dev    and what tests it
#   scripts/environment.sh fuzz   the fuzzer, on top of one of these
#
# PYTHON=/path/to/python chooses the interpreter; otherwise it is the newest that the tests know.
set -eu
cd "$(dirname "$0")/.."

kind=$1
oldest=11

die() {
    echo "leadglass: $*" >&2
    exit 1
}

# Whether $1 runs and is Python 3.11 or later.
recent() {
    "$1" -c "import sys; sys.exit(sys.version_info < (3, $oldest))" >/dev/null 2>&1
}

# Whether $1 can make a virtual environment: Debian takes that part out of Python.
complete() {
    "$1" -c "import ensurepip, venv" >/dev/null 2>&1
}

version_of() {
    "$1" -c "import sys; print('%d.%d' % sys.version_info[:2])" 2>/dev/null
}

# The known versions first, newest first; then whatever else there is.
candidates() {
    if [ -n "${PYTHON:-}" ]; then
        echo "$PYTHON"
    else
        echo python3.13 python3.12 python3.11 python3 python3.14 python3.15 python3.16 python
    fi
}

# Print the first candidate that passes every test named in "$@".
first_that_is() {
    for candidate in $(candidates); do
        good=yes
        for quality in "$@"; do
            "$quality" "$candidate" || good=no
        done
        if [ "$good" = yes ]; then
            echo "$candidate"
            return
        fi
    done
}

may_install() {
    [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1
}

install_package() {
    echo "leadglass: installing $*"
    apt-get -qq update </dev/null
    DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends "$@" </dev/null >/dev/null
}

find_python() {
    python=$(first_that_is recent complete)
    [ -z "$python" ] || return 0
    bare=$(first_that_is recent)
    if [ -n "$bare" ]; then
        package="python$(version_of "$bare")-venv"
        may_install || die "$bare cannot make a virtual environment: apt install $package, then again"
    else
        other=$(version_of "${PYTHON:-python3}" || true)
        package="python3-venv"
        [ -z "${PYTHON:-}" ] && [ -z "$other" ] && may_install ||
            die "needs Python 3.$oldest or later (found: ${other:-none}); install one, or say PYTHON=/path/to/python"
    fi
    install_package "$package"
    python=$(first_that_is recent complete)
    [ -n "$python" ] || die "needs Python 3.$oldest or later with venv; install one, or say PYTHON=/path/to/python"
}

# The locks that each kind stands on, and the place: an environment cannot be moved.
state_of() {
    {
        pwd
        case $1 in
            base) cat requirements/base.txt ;;
            demo) cat requirements/demo.txt ;;
            dev) cat requirements/dev.txt ;;
            fuzz) cat requirements/base.txt requirements/fuzz.txt ;;
        esac
    } | cksum
}

package_state() {
    { pwd; cat pyproject.toml; } | cksum
}

fresh() {
    [ "$(cat ".venv/leadglass-$1" 2>/dev/null)" = "$2" ]
}

# An environment that is of no use: broken, too old, of another Python than asked for, or of other locks.
stale() {
    recent .venv/bin/python || return 0
    if [ -n "${PYTHON:-}" ]; then
        [ "$(version_of .venv/bin/python)" = "$(version_of "$PYTHON")" ] || return 0
    fi
    for was in base demo dev fuzz; do
        if [ -e ".venv/leadglass-$was" ] && ! fresh "$was" "$(state_of "$was")"; then
            return 0
        fi
    done
    return 1
}

pip() {
    .venv/bin/python -m pip --disable-pip-version-check --no-input --quiet "$@" </dev/null
}

if [ ! -e .venv ] || stale; then
    find_python
    "$python" -m venv --clear .venv
fi

# What tests it holds what runs it, and the locks agree.
[ "$kind" = base ] && [ -e .venv/leadglass-demo ] && kind=demo
case $kind in base | demo) [ ! -e .venv/leadglass-dev ] || kind=dev ;; esac

if ! fresh "$kind" "$(state_of "$kind")"; then
    echo "leadglass: installing requirements/$kind.txt for Python $(version_of .venv/bin/python) into .venv"
    pip install --require-hashes -r "requirements/$kind.txt" || die "the packages could not be installed"
    state_of "$kind" >".venv/leadglass-$kind"
fi

if ! fresh package "$(package_state)"; then
    # Everything that builds it is in the locks: nothing is fetched here.
    pip install --no-index --no-deps --no-build-isolation --editable . || die "the package could not be installed"
    package_state >.venv/leadglass-package
fi
