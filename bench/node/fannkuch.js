// Fannkuch-redux: flip the pancakes of every permutation, count the worst case.
function fannkuch(n) {
  const permutation = Int32Array.from({ length: n }, (_, i) => i), work = new Int32Array(n), counts = new Int32Array(n);
  let most = 0, checksum = 0, round = 0, r = n;
  for (;;) {
    for (; r !== 1; r--) counts[r - 1] = r;
    work.set(permutation);
    let flips = 0;
    for (let first = work[0]; first !== 0; first = work[0]) {
      for (let low = 0, high = first; low < high; low++, high--) {
        const kept = work[low];
        work[low] = work[high];
        work[high] = kept;
      }
      flips++;
    }
    most = Math.max(most, flips);
    checksum += round % 2 === 0 ? flips : -flips;
    for (;;) {
      if (r === n) return [checksum, most];
      const first = permutation[0];
      for (let i = 0; i < r; i++) permutation[i] = permutation[i + 1];
      permutation[r] = first;
      if (--counts[r] > 0) break;
      r++;
    }
    round++;
  }
}

const [checksum, flips] = fannkuch(10);
console.log(`${checksum}\nPfannkuchen(10) = ${flips}`);
