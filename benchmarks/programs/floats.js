// Floating point: planets in motion, a matrix product, the Mandelbrot set. Only + - * / and Math.sqrt, which round alike
// on every engine.
function planets(steps) {
  const bodies = [];
  for (let i = 0; i < 5; i++) bodies.push({ x: i * 1.5, y: i * i * 0.25, vx: 0.1 * i, vy: 0.3 - 0.05 * i, mass: 1 / (i + 1) });
  for (let step = 0; step < steps; step++) {
    for (const a of bodies) {
      for (const b of bodies) {
        if (a === b) continue;
        const dx = b.x - a.x;
        const dy = b.y - a.y;
        const distance = Math.sqrt(dx * dx + dy * dy + 0.01);
        const pull = (0.001 * b.mass) / (distance * distance * distance);
        a.vx += dx * pull;
        a.vy += dy * pull;
      }
    }
    for (const body of bodies) {
      body.x += body.vx * 0.01;
      body.y += body.vy * 0.01;
    }
  }
  return bodies.reduce((sum, body) => sum + body.x * body.y, 0);
}

function product(size) {
  const a = new Float64Array(size * size).map((_, i) => (i % 13) / 7);
  const b = new Float64Array(size * size).map((_, i) => (i % 11) / 3);
  let trace = 0;
  for (let i = 0; i < size; i++) {
    for (let j = 0; j < size; j++) {
      let sum = 0;
      for (let k = 0; k < size; k++) sum += a[i * size + k] * b[k * size + j];
      if (i === j) trace += sum;
    }
  }
  return trace;
}

function mandelbrot(size) {
  let inside = 0;
  for (let row = 0; row < size; row++) {
    for (let column = 0; column < size; column++) {
      const cx = (column / size) * 3 - 2;
      const cy = (row / size) * 2 - 1;
      let x = 0;
      let y = 0;
      let left = 40;
      while (left > 0 && x * x + y * y < 4) {
        const next = x * x - y * y + cx;
        y = 2 * x * y + cy;
        x = next;
        left--;
      }
      if (left === 0) inside++;
    }
  }
  return inside;
}

function run() {
  return Math.floor(planets(500) * 1e6) + Math.floor(product(40) * 1e3) + mandelbrot(48);
}
