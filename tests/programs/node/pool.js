// A pool of worker_threads.
const workerpool = require('workerpool');
const pool = workerpool.pool({ workerType: 'thread', maxWorkers: 3 });

function primes(from, to) {
  const found = [];
  for (let n = Math.max(2, from); n < to; n++) {
    let prime = true;
    for (let d = 2; d * d <= n && prime; d++) prime = n % d !== 0;
    if (prime) found.push(n);
  }
  return found;
}

(async () => {
  const parts = await Promise.all(Array.from({ length: 24 }, (_, i) => pool.exec(primes, [i * 200, i * 200 + 200])));
  parts.forEach((part, i) => console.log(i, part.length, part[part.length - 1]));
  await pool.exec(() => { throw new RangeError('in a worker'); }).catch((error) => console.log(error.message));
  console.log(pool.stats().totalWorkers <= 3);
  await pool.terminate();
  console.log('done');
})();
