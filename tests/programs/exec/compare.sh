#!/bin/bash
# Runs the starters in a file system that is mounted for this: first as the kernel does it, then with noexec, plain and
# with each front end. What each says goes to a file.
#
#   compare.sh DIRECTORY BIN [ACCOUNT]
#
# DIRECTORY holds `files` (what to start), `paths` (one a line), `ways`, `static-ways`, `bin` (the starters), and gets
# `out`. BIN has hexec and libhexec.so. It is run in a mount namespace of its own.
set -eu
directory=$1 bin=$2
as=()
if [ "${3-}" ]; then as=(setpriv --reuid="$3" --regid="$3" --clear-groups --); fi
mount -t tmpfs -o mode=755 none "$directory/mount"
cp -a "$directory/files/." "$directory/mount"
cd "$directory/mount"

run() { # OUTPUT WAY COMMAND...
    "${as[@]}" "${@:3}" "$2" <"$directory/paths" >"$directory/out/$1.$2" 2>&1
}

all() { # OUTPUT WAYS COMMAND...
    local way
    for way in $(cat "$directory/$2"); do run "$1" "$way" "${@:3}"; done
}

all kernel ways "$directory/bin/starter"
all kernel-static static-ways "$directory/bin/static/starter"
mount -o remount,bind,noexec "$directory/mount"
all refused ways "$directory/bin/starter"
all refused-static static-ways "$directory/bin/static/starter"
all preload ways "$bin/hexec" --by=preload -- "$directory/bin/starter"
all supervisor ways "$bin/hexec" -- "$directory/bin/starter"
all supervisor-static static-ways "$bin/hexec" -- "$directory/bin/static/starter"
run library execve "$directory/bin/evaluate"
