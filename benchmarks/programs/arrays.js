// Arrays: a sieve, sorting, the usual methods with callbacks, growing and shrinking, typed arrays.
function sieve(limit) {
  const composite = new Uint8Array(limit + 1);
  const primes = [];
  for (let i = 2; i <= limit; i++) {
    if (composite[i]) continue;
    primes.push(i);
    for (let j = i * i; j <= limit; j += i) composite[j] = 1;
  }
  return primes;
}

function run() {
  const primes = sieve(30000);
  const mixed = primes.map((prime, index) => (prime * 7919 + index) % 10007);
  mixed.sort((a, b) => a - b);
  const odd = mixed.filter((value) => value & 1);
  let sum = odd.reduce((total, value, index) => (total * 31 + value * index) % 1000003, 7);
  const queue = [];
  for (let i = 0; i < 20000; i++) {
    queue.push(i ^ sum);
    if (i % 3 === 0) sum = (sum + queue.pop()) % 1000003;
  }
  const parts = queue.slice(100, 4000).concat(odd).reverse();
  for (const part of parts) sum = (sum + part) % 1000003;
  return sum + parts.indexOf(odd[0]);
}
