#!/bin/bash
# Shell scripts that Debian installs, each at its work.
cd "$1" || exit
exec 2>&1

ldd /bin/ls | sed 's/ (0x.*//'
ldd --version | head -1
ldd /etc/passwd; echo $?

printf '%s\n' one two three > text
gzip -k text
zgrep -n t text.gz
zgrep -c nothing text.gz; echo $?
zcat text.gz | wc -l
zdiff text.gz text; echo $?
zcmp text.gz text; echo $?
zegrep 'one|three' text.gz
znew -h | head -1
gunzip -c text.gz
gzip -l text.gz | tail -1 | awk '{ print $4 }'

cp /bin/true program
gzexe program; echo $?
head -1 program | grep -c sh
gzexe -d program; echo $?
cmp program /bin/true; echo $?

for i in 1 2 3; do echo "$i" > log; savelog -q -n -c 3 log; done
ls log*
cat log.0

which -a sh cat
egrep -o 't.' text
fgrep -x two text
neqn --version | head -1
sensible-pager text < /dev/null | head -1
dpkg-realpath /bin/sh
mapfile -t all < <(run-parts --test /usr/share/nothing 2>&1); echo "${#all[@]}"
ssh-argv0; echo $?
rm -f text* program program~ log.*
