# Fannkuch-redux: flip the pancakes of every permutation, count the worst case.
def fannkuch(n):
    permutation, counts = list(range(n)), [0] * n
    flips_most, checksum, even, r = 0, 0, True, n
    while True:
        while r != 1:
            counts[r - 1] = r
            r -= 1
        first = permutation[0]
        if first:
            stack, flips = permutation[:], 0
            while first:
                stack[: first + 1] = stack[first::-1]
                flips += 1
                first = stack[0]
            flips_most = max(flips_most, flips)
            checksum += flips if even else -flips
        even = not even
        while True:
            if r == n:
                return checksum, flips_most
            permutation.insert(r, permutation.pop(0))
            counts[r] -= 1
            if counts[r] > 0:
                break
            r += 1


checksum, flips = fannkuch(9)
print(f"{checksum}\nPfannkuchen(9) = {flips}")
