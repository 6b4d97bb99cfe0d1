# 100,000 small reads and writes.
file=$1/small
for ((i = 0; i < 50000; i++)); do echo "line $i"; done > "$file"
while read -r word number; do sum=$((sum + number)); done < "$file"
echo "$sum"
