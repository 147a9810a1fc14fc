// Function calls: plain recursion, closures, and calls through a variable number of arguments.
function fibonacci(n) {
  return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2);
}

function takeuchi(x, y, z) {
  return y >= x ? z : takeuchi(takeuchi(x - 1, y, z), takeuchi(y - 1, z, x), takeuchi(z - 1, x, y));
}

function adder(step) {
  let total = 0;
  return (...values) => {
    for (let i = 0; i < values.length; i++) total += values[i] * step;
    return total;
  };
}

function run() {
  const add = adder(3);
  let last = 0;
  for (let i = 0; i < 20000; i++) last = add(i & 7, 1, 2);
  return fibonacci(20) + takeuchi(12, 8, 4) * 1000 + last;
}
