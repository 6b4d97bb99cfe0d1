# Primes below a bound: arithmetic and arrays.
n=60000
for ((i = 2; i < n; i++)); do
    [[ ${composite[i]} ]] && continue
    ((count++))
    for ((j = i * i; j < n; j += i)); do composite[j]=1; done
done
echo "$count"
