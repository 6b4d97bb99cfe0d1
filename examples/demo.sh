#!/bin/bash
# Plays fun.lua in a throw-away home full of decoys, and looks at them afterwards.
#
#   examples/demo.sh INTERPRETER            every attack must fail and the game go on
#   examples/demo.sh --control INTERPRETER  the plain interpreter: the attacks must succeed
#
# A terminal on stdin: you play. None: the game plays itself.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
document=with-blood-sweat-and-tears.doc
canary=AKIA$(od -An -N8 -tx1 /dev/urandom | tr -d ' \n')

die() {
    echo "demo: $*" >&2
    exit 1
}

furnish() {
    mkdir -p "$home/.aws" "$home/.cache" "$home/projects/opus"
    echo 'Everything here may be destroyed.' >"$home/.this-is-a-decoy"
    printf '[default]\naws_access_key_id = %s\n' "$canary" >"$home/.aws/credentials"
    echo 'Chapter one. It was a dark and stormy build.' >"$home/$document"
    echo 'return "the work of years"' >"$home/projects/opus/main.lua"
    cp -a "$home" "$scratch/before"
    # An old access time, which even a relatime mount updates when the file is read.
    find "$home" "$scratch/before" -type f -exec touch -a -d '2020-02-02' {} +
}

play() {
    local turn=()
    [ -t 0 ] || turn=(--auto)
    # SUDO tells the game's house-keeping that it needs no sudo: under the plain
    # interpreter that keeps the demonstration free of any real privilege.
    HOME=$home SUDO=none "$interpreter" "$here/fun.lua" "${turn[@]}" | tee "$scratch/played"
}

# The decoys as they were, still unread.
unharmed() {
    local last_read
    last_read=$(stat -c %X "$home/.aws/credentials")
    [ "$last_read" = "$(stat -c %X "$scratch/before/.aws/credentials")" ] ||
        die 'the decoy credentials have been read'
    ! grep -q "$canary" "$scratch/played" || die 'the decoy credentials have leaked into the game'
    diff -r "$scratch/before" "$home" || die 'the decoy home has been changed'
}

harmed() {
    grep -q "$canary" "$scratch/played" || die 'control: the decoy credentials were not read'
    [ ! -e "$home/$document" ] || die 'control: the decoy document is still there'
    [ ! -e "$home/projects" ] || die 'control: the decoy projects are still there'
    grep -q 'It was done: .*phoning home' "$scratch/played" || die 'control: no call home was made'
}

control=no
if [ "${1-}" = --control ]; then
    control=yes
    shift
fi
[ $# = 1 ] || die "usage: $0 [--control] INTERPRETER"
interpreter=$1

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
home=$(mktemp -d "$scratch/decoy-home.XXXXXX")
chmod 755 "$scratch"
furnish

status=0
play || status=$?
echo
if [ "$control" = yes ]; then
    [ "$status" = 1 ] || die "control: the game ended with status $status"
    harmed
    echo "control: under $interpreter the credentials were read, the document and the projects are gone."
else
    [ "$status" = 0 ] || die "the game ended with status $status"
    tail -n 1 "$scratch/played" | grep -q '^5 attacks, 5 denied: ' || die 'not every attack was denied'
    unharmed
    echo 'demo: credentials unread, document and projects as they were; the game ran to its end.'
    echo 'demo: see what plain Lua lets happen to the same decoys: make demo-control'
fi
