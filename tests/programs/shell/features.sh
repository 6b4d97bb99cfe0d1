#!/bin/bash
# A tour of the language as long scripts use it: everything that it prints, and its status, is bash's.
set -euo pipefail
shopt -s extglob nullglob lastpipe
trap 'echo "error in line $LINENO"' ERR
trap 'echo "end with $?"; rm -rf "${scratch:-}"' EXIT

readonly PROGRAM=${0##*/}
declare -i failures=0
declare -A inventory=([apples]=3 [pears]=5 ["sour cherries"]=12)
declare -a log=()

say() { printf '%-12s|' "$@"; echo; }

note() {
    local -r level=$1
    shift
    log+=("$level: $*")
}

die() {
    note fatal "$@"
    exit "${STATUS:-1}"
}

section() {
    local title=$1 line
    printf -v line '%*s' "${#title}" ''
    echo "$title"
    echo "${line// /=}"
}

section "Options"
usage() { cat <<-END
	usage: $PROGRAM [-v] [-n NUMBER] NAME...
	    -v  more output
	END
}
parse() {
    local OPTIND=1 option
    verbose=no number=0
    while getopts ':vn:' option; do
        case $option in
            v) verbose=yes ;;
            n) number=$OPTARG ;;
            :) echo "-$OPTARG needs a value" ;;
            ?) echo "unknown: -$OPTARG" ;;
        esac
    done
    shift $((OPTIND - 1))
    say "$verbose" "$number" "$@"
}
parse -v -n 4 one "two words"
parse -x -n
usage

section "Arrays"
for fruit in "${!inventory[@]}"; do
    echo "$fruit: ${inventory[$fruit]}"
done | sort
(( inventory[apples] += 4 ))
[[ -v inventory[pears] && ! -v inventory[plums] ]] && echo "known: ${#inventory[@]}"
unset 'inventory[pears]'
say "${#inventory[@]}" "${inventory[apples]}"
numbers=({1..10})
say "${numbers[@]:2:3}" "${numbers[-1]}"
numbers+=(11)
total=0
for n in "${numbers[@]}"; do (( total += n )); done
echo "total $total, mean $((total / ${#numbers[@]}))"
mapfile -t words < <(printf '%s\n' delta alpha charlie bravo | sort)
echo "${words[*]^}"
IFS=, read -ra fields <<< "a,b,,d"
echo "${#fields[@]} fields, third '${fields[2]}'"

section "Names of names"
swap() {
    local -n left=$1 right=$2
    local between=$left
    left=$right right=$between
}
one=1 two=2
swap one two
say "$one" "$two"
pointer=total
echo "${!pointer}"
echo "${!inv*}"

section "Strings"
path=/usr/share/doc/package/README.Debian.gz
say "${path##*/}" "${path%/*}" "${path%%.*}" "${path/share/lib}" "${path//\//:}"
text='The quick brown fox'
say "${#text}" "${text:4:5}" "${text: -3}" "${text,,}" "${text@Q}"
[[ $text =~ (quick|slow)\ ([a-z]+) ]] && say "${BASH_REMATCH[@]}"
case $text in
    *slow*) echo slow ;;
    The*@(fox|dog)) echo animal ;;&
    *) echo anything ;;
esac
printf '%q %05d %x %s\n' 'a b$c' 42 255 $'tab\there'
echo "${unset_variable:-default} ${text:+set}"

section "Arithmetic"
echo $(( (7 + 3) * 2 ** 3 % 11 )) $(( 16#ff & 2#1010 )) $(( failures++ )) $(( ++failures ))
for ((i = 0, j = 10; i < j; i += 3, j--)); do printf '%d/%d ' "$i" "$j"; done; echo
gcd() { local a=$1 b=$2; while (( b )); do (( a %= b, a ^= b, b ^= a, a ^= b )) || true; done; echo "$a"; }
gcd 1071 462
fib() { (( $1 < 2 )) && echo "$1" && return; echo $(( $(fib $(($1 - 1))) + $(fib $(($1 - 2))) )); }
fib 10

section "Here-documents and pipes"
value='a "quoted" value'
cat <<END
plain: $value, $(echo substituted), $((6 * 7)), \$escaped
END
cat <<'END'
literal: $value, $(echo no)
END
tr a-z A-Z <<< "here string"
large=$(printf '%30000s' x)
wc -c <<< "$large"
printf '%s\n' b a c a | sort | uniq -c | awk '{ print $2 "=" $1 }' | paste -sd,
diff <(seq 3) <(seq 2 4) || echo "differs: $?"
{ echo out; echo err >&2; } 2>&1 >/dev/null | sed 's/^/captured /'
seq 5 | while read -r n; do (( n % 2 )) || continue; last=$n; done
echo "last $last"

section "Processes"
( exit 3 ) || echo "subshell: $?"
sleep 0.05 & background=$!
wait "$background" && echo "waited"
{ sleep 0.02; exit 7; } & wait $! || echo "background: $?"
coproc UPPER { while read -r line; do echo "${line^^}"; done; }
upper=$UPPER_PID     # bash forgets it when the coprocess ends
echo "through a coprocess" >&"${UPPER[1]}"
read -r answer <&"${UPPER[0]}"
echo "$answer"
eval "exec ${UPPER[1]}>&-"
wait "$upper"
trap 'echo "got USR1"' USR1
kill -USR1 $$
bash -c 'trap "exit 9" TERM; kill $$; sleep 5' || echo "trapped: $?"
timeout 0.1 sleep 5 || echo "timeout: $?"
nosuchprogram 2>/dev/null || echo "missing: $?"
/etc/passwd 2>/dev/null || echo "not a program: $?"
exec {copy}>&1
echo "through a descriptor" >&"$copy"
exec {copy}>&-
env -i A=1 bash --norc -c 'echo "child: $A ${B-unset}"'
export -f gcd
bash -c 'gcd 36 24'

section "Files"
scratch=$(mktemp -d)
pushd "$scratch" > /dev/null
mkdir -p tree/{left,right}/leaf
for name in tree/*/leaf; do echo "$name" > "$name/file"; done
ln -s left tree/link
ln tree/left/leaf/file tree/hard
touch -d '2020-01-02 03:04:05 UTC' tree/hard
chmod 640 tree/hard
cp -p tree/hard copy
TZ=UTC stat -c '%a %h %y %n' copy tree/hard
install -m 750 copy installed
stat -c '%a' installed
mkfifo pipe
cat pipe & echo "through a fifo" > pipe
wait $!
find tree -type f | sort
find tree -name '*d' -newer copy -o -type l | sort
tar cf tree.tar tree
rm -r tree
tar xf tree.tar
readlink tree/link
cat tree/link/leaf/file
sed -i 's/leaf/LEAF/' tree/right/leaf/file
grep -rh LEAF tree
[[ copy -nt tree.tar ]] || echo "older"
for file in *.tar no*such; do echo "matched $file"; done
popd > /dev/null
set -C
echo first > "$scratch/kept"
echo second 2>/dev/null > "$scratch/kept" || echo "kept: $(< "$scratch/kept")"
set +C

section "The end"
note info "failures: $failures"
printf '%s\n' "${log[@]}"
STATUS=4 die "as planned"
