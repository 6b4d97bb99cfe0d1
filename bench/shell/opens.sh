# 20,000 opens in a granted directory.
file=$1/0001
for ((i = 0; i < 20000; i++)); do read -r line < "$file"; done
echo "$line"
