// Numbers: integers, floats, bits, Math, matrices, the text of numbers, and dates.

function random(seed) {
  let a = seed >>> 0;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

function integers() {
  let sum = 0, odd = 0;
  for (let i = 1; i < 3000; i++) {
    sum = (sum + i * (i % 17) - (i >> 2)) | 0;
    if (i & 1) odd++;
    else if (i % 6 === 0) odd += 2;
    sum ^= (i << (i & 7)) | (i >>> 3);
    sum += ~i & 255;
  }
  let a = 1071 * 462, b = 462 * 27;
  while (b !== 0) [a, b] = [b, a % b];
  let steps = 0;
  for (let n = 97; n !== 1; steps++) n = n % 2 === 0 ? n / 2 : 3 * n + 1;
  return [sum, odd, a, steps, -7 % 3, 7 % -3, -7 >>> 28, Number.isSafeInteger(2 ** 53), Object.is(-0, 0),
    Number.EPSILON > 0, 5 / 2 | 0, 2 ** 31 + 1, (2 ** 31) | 0].join();
}

function primes() {
  const flags = new Uint8Array(4000), found = [];
  for (let i = 2; i < flags.length; i++) {
    if (flags[i]) continue;
    found.push(i);
    for (let k = i * i; k < flags.length; k += i) flags[k] = 1;
  }
  return found.length + found.at(-1);
}

function floats() {
  const next = random(3), values = [];
  for (let i = 0; i < 400; i++) values.push(next() * 200 - 100);
  const mean = values.reduce((a, b) => a + b, 0) / values.length;
  const deviation = Math.sqrt(values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / values.length);
  let sum = 0;
  for (const v of values) {
    sum += Math.floor(v) + Math.ceil(v / 3) - Math.round(v * 2) + Math.trunc(v % 5) + Math.abs(v) + Math.sign(v);
    sum += Math.min(v, 10, -v) + Math.max(v, 0) + Math.hypot(3, 4) + Math.fround(0.5) + Math.clz32(v) + Math.cbrt(27);
    sum += Math.expm1(v / 100) + Math.log1p(v * v) + Math.atan(v) + Math.sinh(v / 50) + Math.asin(v / 100);
    sum += Math.pow(v, 2);
    if (Number.isInteger(v) || !Number.isFinite(v) || v !== v) sum += 1e6;
  }
  const waves = values.map((v) => Math.sin(v) * Math.cos(v / 2) + Math.atan2(v, 2) + Math.exp(-v * v / 1e3)
    + Math.log(Math.abs(v) + 1));
  return [mean.toFixed(6), deviation.toFixed(4), sum.toFixed(3), Math.log2(8), Math.log10(1000),
    Math.tan(1).toFixed(5), waves.reduce((a, b) => a + b).toFixed(4), (0.1 + 0.2).toFixed(10), 1 / 3 > 0.33].join();
}

function transform(re, im) {
  const n = re.length;
  for (let i = 1, j = 0; i < n; i++) {
    let bit = n >> 1;
    for (; j & bit; bit >>= 1) j ^= bit;
    j ^= bit;
    if (i < j) { [re[i], re[j]] = [re[j], re[i]]; [im[i], im[j]] = [im[j], im[i]]; }
  }
  for (let size = 2; size <= n; size *= 2) {
    const angle = (-2 * Math.PI) / size, half = size / 2;
    for (let start = 0; start < n; start += size) {
      for (let k = 0; k < half; k++) {
        const c = Math.cos(angle * k), s = Math.sin(angle * k), p = start + k, q = p + half;
        const tr = re[q] * c - im[q] * s, ti = re[q] * s + im[q] * c;
        re[q] = re[p] - tr; im[q] = im[p] - ti;
        re[p] += tr; im[p] += ti;
      }
    }
  }
}

function matrices() {
  const n = 14, make = (f) => Array.from({ length: n }, (_, r) => Array.from({ length: n }, (_, c) => f(r, c)));
  const a = make((r, c) => r + c / 2), b = make((r, c) => (r === c ? 2 : r - c)), product = make(() => 0);
  for (let i = 0; i < n; i++) for (let j = 0; j < n; j++) for (let k = 0; k < n;
    k++) product[i][j] += a[i][k] * b[k][j];
  const re = new Float64Array(64), im = new Float64Array(64);
  for (let i = 0; i < 64; i++) re[i] = Math.sin(i / 4) + (i % 5);
  transform(re, im);
  return product.flat().reduce((x, y) => x + y) + re[3].toFixed(6) + im[9].toFixed(6);
}

function spelling() {
  const next = random(9), shown = [];
  let sum = 0;
  for (let i = 0; i < 120; i++) {
    const v = next() * 10 ** ((i % 24) - 8);
    sum += Number(String(v)) === v ? 1 : 0;
    sum += parseFloat(v.toFixed(3)) + parseInt((i * 37).toString(16), 16) + parseInt((i * 5).toString(2), 2)
      + Number.parseFloat("1.5e2x");
    shown[i % 10] = [v.toPrecision(5), v.toExponential(2), (i * 991).toString(36), (v % 1).toString().slice(0, 9),
      v.toFixed(2)].join(" ");
  }
  return sum.toFixed(3) + shown.join() + [+"", +" 12 ", +"1e3", +"x", Number(null), Number([5]), Number("0b101"), 1e21
    + 1, 5e-324, -0 + ""].join();
}

function dates() {
  const out = [];
  for (let i = 0; i < 60; i++) {
    const day = new Date(Date.UTC(2023, 0, 31 + i * 11, i % 24, 30, 15, i));
    const later = new Date(day.getTime() + 36e5 * 50);
    later.setUTCMonth(later.getUTCMonth() + 1, 1);
    const days = Math.round((later - day) / 864e5), parsed = Date.parse(day.toISOString());
    out.push(day.getUTCFullYear() * 400 + day.getUTCDate() + day.getUTCDay() + days + (parsed === +day ? 1 : 0));
    if (i % 12 === 0) out.push(day.toISOString().slice(0, 10), JSON.stringify(later),
      new Date("2024-02-29T12:00:00+02:00").getTime() + i);
  }
  const local = new Date(2024, 5, 15, 8, 30), start = new Date(local);
  start.setHours(0, 0, 0, 0);
  start.setMonth(start.getMonth() - 7);
  const rows = ["March 7, 2024 10:00 UTC", "Tue, 05 Nov 2024 08:15:30 GMT", "2024-11-05",
    "not a date"].map((text) => Date.parse(text));
  out.push(local - start, local.getTimezoneOffset(), start.toISOString(), local.toString().slice(0, 21), rows,
    local.getDay() + local.getMinutes());
  return out.join();
}

const SECTIONS = [integers, primes, floats, matrices, spelling, dates];

function run() {
  let hash = 0;
  for (let round = 0; round < 16; round++) {
    for (const section of SECTIONS) {
      const text = String(section());
      for (let i = 0; i < text.length; i++) hash = (Math.imul(hash, 31) + text.charCodeAt(i)) | 0;
    }
  }
  return hash;
}
