#!/bin/sh
# scripts/bootstrap.sh demo|test|shots: makes sure that what the build (demo), the tests (test) or the
# pictures of the pages (shots) need is on this machine. Looks first and installs only what is missing, from Debian's packages; says what it
# does and why. Needs no terminal.
set -eu

purpose=${1:-}
case $purpose in
    demo | test | shots) ;;
    *)
        echo "usage: scripts/bootstrap.sh demo|test|shots" >&2
        exit 2
        ;;
esac

say() { echo "bootstrap: $*"; }
has() { command -v "$1" >/dev/null 2>&1; }

# What is asked of whoever uses the repository, and not installed: a second one would stand beside
# the one they chose.
unmet=0
need() {
    if ! has "$1"; then
        say "$1 is missing: $2" >&2
        unmet=1
    fi
}
need cargo "install Rust with rustup"
need cc "install a C compiler (Debian: gcc and libc6-dev); SQLite and Lua are compiled from source"
need node "install Node.js 20; it builds the pages"
need npm "install npm with Node.js 20; it builds the pages"
if has node; then
    version=$(node --version)
    major=${version#v}
    major=${major%%.*}
    if [ "$major" -lt 20 ]; then
        say "Node.js is $version: the pages need 20 or later" >&2
        unmet=1
    fi
fi
[ "$unmet" -eq 0 ] || exit 1

# What the checks are made with. rustup's minimal profile leaves these out.
if [ "$purpose" = test ]; then
    for tool in fmt clippy; do
        if ! cargo "$tool" --version >/dev/null 2>&1; then
            case $tool in fmt) component=rustfmt ;; *) component=$tool ;; esac
            say "adding the Rust component $component, which the checks run"
            rustup component add "$component"
        fi
    done
fi

# Schemathesis holds the running switch to its OpenAPI document. It comes from PyPI, in an environment of its own.
schemathesis() {
    place=${SCHEMATHESIS:-target/schemathesis}
    if [ -e "$place/done" ] && cmp -s "$place/done" scripts/schemathesis.txt; then
        return
    fi
    say "installing schemathesis into $place: it holds the running switch to its OpenAPI document"
    rm -rf "$place"
    python3 -m venv "$place"
    "$place/bin/pip" install --quiet --disable-pip-version-check --no-deps --requirement scripts/schemathesis.txt
    cp scripts/schemathesis.txt "$place/done"
}

# Who needs it, command (or file), Debian package, reason: one a line.
missing=
while read -r who what package reason; do
    case $who in
        build) ;;
        "$purpose") ;;
        *) continue ;;
    esac
    case $what in
        /*) [ -e "$what" ] && continue ;;
        *) has "$what" && continue ;;
    esac
    say "$package is missing: $reason"
    missing="$missing $package"
done <<'PACKAGES'
build cmake                            cmake            builds C libraries that crates bring along
test  git                              git              tidy asks it which files belong to the repository
test  sipp                             sip-tester       calls the running switch
test  baresip                          baresip-core     is a real phone at the running switch
test  svmap                            sipvicious       scans the running switch
test  linphonec                        linphone-cli     is a second real phone at the running switch
test  chromium                         chromium         opens the live page
test  /usr/share/fonts/truetype/dejavu fonts-dejavu-core gives the page letters to draw with
shots chromium                         chromium         draws the pages
shots /usr/share/fonts/truetype/dejavu fonts-dejavu-core gives the pages letters to draw with
shots /usr/share/fonts/truetype/wqy    fonts-wqy-microhei gives them Chinese characters
test  tshark                           tshark           opens the captures of calls
test  curl                             curl             runs the commands of docs/integrators.md
test  jq                               jq               reads what they are answered
test  sox                              sox              reads the recordings and measures their tones
test  opusdec                          opus-tools       plays the recordings that are Opus
test  espeak-ng                        espeak-ng        says what flows have to say
test  /usr/lib/python3/dist-packages/websockets python3-websockets is a speech bot that is not ours
test  /usr/lib/python3/dist-packages/aiortc python3-aiortc is a WebRTC peer that is no browser
test  pocketsphinx_continuous          pocketsphinx     recognises words
test  /usr/share/pocketsphinx/model/en-us pocketsphinx-en-us knows how English sounds
test  openssl                          openssl          makes the certificates that the tests of TLS show
test  python3                          python3          runs the tests that are written in Python
test  /usr/share/python-wheels         python3-venv     makes the environment of schemathesis
test  ip                               iproute2         gives each whole-switch test a loopback of its own
test  iptables                         iptables         translates addresses in the networks of the tests of NAT
PACKAGES

if [ -z "$missing" ]; then
    if [ "$purpose" = test ]; then
        schemathesis
        say "everything the tests need is here"
    fi
    exit 0
fi
if ! has apt-get; then
    say "no apt-get on this machine; install by hand:$missing" >&2
    exit 1
fi
if [ "$(id -u)" -eq 0 ]; then
    as_root=
elif has sudo; then
    # Without a terminal sudo must not wait for a password.
    if [ -t 0 ]; then as_root=sudo; else as_root="sudo -n"; fi
else
    say "not root and no sudo; as root run: apt-get install$missing" >&2
    exit 1
fi

install() {
    # shellcheck disable=SC2086 # both are lists
    DEBIAN_FRONTEND=noninteractive $as_root apt-get install --yes --quiet --no-install-recommends \
        -o DPkg::Lock::Timeout=300 $missing </dev/null
}
say "installing with apt-get:$missing"
$as_root apt-get update --quiet </dev/null
if ! install; then
    # A package list and its mirror disagree for a moment now and then.
    say "that failed; once more with fresh package lists"
    $as_root apt-get update --quiet </dev/null
    install
fi
say "everything that was missing is here"
[ "$purpose" != test ] || schemathesis
