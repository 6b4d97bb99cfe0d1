#!/bin/bash
# Builds a C project of Debian's as its users do: unpack, configure, make. Two lines that tell the machine are left out.
set -euo pipefail
archive=$1 work=$PWD/$2
export LC_ALL=C
TMPDIR=$(realpath "${TMPDIR:-/tmp}")
export TMPDIR
cd "$work"
tar xzf "$archive"
cd hello-*
./configure --disable-nls > configure.out 2>&1 || { cat configure.out; exit 1; }
grep -v '^checking build system\|mkdir' configure.out
make > make.out 2>&1 || { cat make.out; exit 1; }
grep -c '^gcc\|^depbase' make.out
./hello
./hello --greeting='built inside'
make -s clean > /dev/null
[ ! -e hello ]
grep define config.h | sed -n 1,20p
cd ..
rm -r hello-*
