// Cryptography in plain JavaScript: AES-128 in counter mode, SHA-256, and RSA with numbers of 16-bit limbs.
const SBOX = (() => {
  const box = new Uint8Array(256);
  let p = 1;
  let q = 1;
  do {
    p = (p ^ (p << 1) ^ (p & 128 ? 27 : 0)) & 255; // times 3
    q ^= q << 1; // divided by 3
    q ^= q << 2;
    q ^= q << 4;
    q &= 255;
    if (q & 128) q ^= 9;
    const turned = q | (q << 8);
    box[p] = (q ^ (turned >> 7) ^ (turned >> 6) ^ (turned >> 5) ^ (turned >> 4) ^ 99) & 255;
  } while (p !== 1);
  box[0] = 99;
  return box;
})();

const double = (byte) => ((byte << 1) ^ (byte & 128 ? 27 : 0)) & 255;

function expandKey(key) {
  const words = new Uint8Array(176);
  words.set(key);
  let round = 1;
  for (let at = 16; at < 176; at += 4) {
    let last = [words[at - 4], words[at - 3], words[at - 2], words[at - 1]];
    if (at % 16 === 0) {
      last = [SBOX[last[1]] ^ round, SBOX[last[2]], SBOX[last[3]], SBOX[last[0]]];
      round = double(round);
    }
    for (let i = 0; i < 4; i++) words[at + i] = words[at + i - 16] ^ last[i];
  }
  return words;
}

function encryptBlock(keys, input, output) {
  const state = new Uint8Array(16);
  const moved = new Uint8Array(16);
  for (let i = 0; i < 16; i++) state[i] = input[i] ^ keys[i];
  for (let round = 1; round <= 10; round++) {
    for (let i = 0; i < 16; i++) moved[i] = SBOX[state[(i + 4 * (i & 3)) & 15]];
    const base = round * 16;
    for (let column = 0; column < 16; column += 4) {
      const a = moved[column];
      const b = moved[column + 1];
      const c = moved[column + 2];
      const d = moved[column + 3];
      const all = round === 10 ? 0 : a ^ b ^ c ^ d;
      const mix = (x, y) => (round === 10 ? x : x ^ all ^ double(x ^ y));
      state[column] = mix(a, b) ^ keys[base + column];
      state[column + 1] = mix(b, c) ^ keys[base + column + 1];
      state[column + 2] = mix(c, d) ^ keys[base + column + 2];
      state[column + 3] = mix(d, a) ^ keys[base + column + 3];
    }
  }
  output.set(state);
}

function counterMode(key, data) {
  const keys = expandKey(key);
  const counter = new Uint8Array(16);
  const stream = new Uint8Array(16);
  const result = new Uint8Array(data.length);
  for (let at = 0; at < data.length; at += 16) {
    encryptBlock(keys, counter, stream);
    const end = Math.min(16, data.length - at);
    for (let i = 0; i < end; i++) result[at + i] = data[at + i] ^ stream[i];
    for (let i = 15; i >= 0 && ++counter[i] === 0; i--);
  }
  return result;
}

// The first 32 bits of the fractions of roots of the first primes, by integers: n-th root of p * 2**(32 * n).
function roots(count, power) {
  const found = [];
  for (let candidate = 2n; found.length < count; candidate++) {
    let prime = true;
    for (let divisor = 2n; divisor * divisor <= candidate; divisor++) if (candidate % divisor === 0n) prime = false;
    if (!prime) continue;
    const target = candidate << (32n * power);
    let low = 0n;
    let high = 1n << 40n;
    while (high - low > 1n) {
      const middle = (low + high) >> 1n;
      if (middle ** power <= target) low = middle;
      else high = middle;
    }
    found.push(Number(low & 0xffffffffn) | 0);
  }
  return Int32Array.from(found);
}

const ROUNDS = roots(64, 3n);
const START = roots(8, 2n);

function sha256(message) {
  const length = message.length;
  const padded = new Uint8Array(((length + 72) >> 6) << 6);
  padded.set(message);
  padded[length] = 128;
  const view = new DataView(padded.buffer);
  view.setUint32(padded.length - 4, length * 8);
  const hash = START.slice();
  const w = new Int32Array(64);
  const turn = (word, by) => (word >>> by) | (word << (32 - by));
  for (let block = 0; block < padded.length; block += 64) {
    for (let i = 0; i < 16; i++) w[i] = view.getInt32(block + i * 4);
    for (let i = 16; i < 64; i++) {
      const s0 = turn(w[i - 15], 7) ^ turn(w[i - 15], 18) ^ (w[i - 15] >>> 3);
      const s1 = turn(w[i - 2], 17) ^ turn(w[i - 2], 19) ^ (w[i - 2] >>> 10);
      w[i] = (w[i - 16] + s0 + w[i - 7] + s1) | 0;
    }
    let [a, b, c, d, e, f, g, h] = hash;
    for (let i = 0; i < 64; i++) {
      const s1 = turn(e, 6) ^ turn(e, 11) ^ turn(e, 25);
      const t1 = (h + s1 + ((e & f) ^ (~e & g)) + ROUNDS[i] + w[i]) | 0;
      const s0 = turn(a, 2) ^ turn(a, 13) ^ turn(a, 22);
      const t2 = (s0 + ((a & b) ^ (a & c) ^ (b & c))) | 0;
      [h, g, f, e, d, c, b, a] = [g, f, e, (d + t1) | 0, c, b, a, (t1 + t2) | 0];
    }
    [a, b, c, d, e, f, g, h].forEach((word, i) => (hash[i] += word));
  }
  return hash;
}

// a * b mod m, all of as many limbs, the least first; the top bit of m is set.
function multiply(a, b, m) {
  const size = m.length;
  const product = new Float64Array(size * 2 + 1);
  for (let i = 0; i < size; i++) {
    let carry = 0;
    for (let j = 0; j < size; j++) {
      const sum = product[i + j] + a[i] * b[j] + carry;
      carry = Math.floor(sum / 65536);
      product[i + j] = sum - carry * 65536;
    }
    product[i + size] = carry;
  }
  const top = m[size - 1];
  for (let at = size; at >= 0; at--) {
    let factor = Math.min(65535, Math.floor((product[at + size] * 65536 + product[at + size - 1]) / top));
    let borrow = 0;
    for (let j = 0; j < size; j++) {
      const difference = product[at + j] - factor * m[j] + borrow;
      borrow = Math.floor(difference / 65536);
      product[at + j] = difference - borrow * 65536;
    }
    product[at + size] += borrow;
    while (product[at + size] < 0) {
      let carry = 0;
      for (let j = 0; j < size; j++) {
        const sum = product[at + j] + m[j] + carry;
        carry = sum > 65535 ? 1 : 0;
        product[at + j] = sum - carry * 65536;
      }
      product[at + size] += carry;
    }
  }
  return product.slice(0, size);
}

function power(base, exponent, m) {
  let result = new Float64Array(m.length);
  result[0] = 1;
  for (let bit = exponent.length * 16 - 1; bit >= 0; bit--) {
    result = multiply(result, result, m);
    if ((exponent[bit >> 4] >> (bit & 15)) & 1) result = multiply(result, base, m);
  }
  return result;
}

const limbs = (number, count) => Float64Array.from({ length: count }, (_, i) => Number((number >> BigInt(i * 16)) & 65535n));

function rsa() {
  const p = (1n << 127n) - 1n;
  const q = (1n << 89n) - 1n;
  // A multiple of the modulus whose top bit is set reduces as well as the modulus itself.
  const n = (p * q) << 8n;
  const count = 14;
  const modulus = limbs(n, count);
  const message = limbs(0x123456789abcdef0123456789abcdefn, count);
  const sealed = power(message, [65537 & 65535, 1], modulus);
  let check = 0x123456789abcdef0123456789abcdefn;
  for (let i = 0; i < 16; i++) check = (check * check) % (p * q);
  check = (check * 0x123456789abcdef0123456789abcdefn) % (p * q);
  let value = 0n;
  for (let i = count - 1; i >= 0; i--) value = (value << 16n) | BigInt(sealed[i]);
  if (value % (p * q) !== check) throw new Error("RSA");
  const private_ = power(sealed, Array.from({ length: 4 }, (_, i) => 40503 ^ (i * 7919)), modulus);
  return private_.reduce((sum, limb) => (sum * 31 + limb) % 1000003, 0);
}

function run() {
  const abc = sha256(Uint8Array.of(97, 98, 99));
  if (abc[0] >>> 0 !== 0xba7816bf || abc[7] >>> 0 !== 0xf20015ad) throw new Error("SHA-256");
  const block = new Uint8Array(16);
  encryptBlock(
    expandKey(Uint8Array.from({ length: 16 }, (_, i) => i)),
    Uint8Array.from({ length: 16 }, (_, i) => i * 17),
    block,
  );
  if (block[0] !== 0x69 || block[15] !== 0x5a) throw new Error("AES");
  const text = Uint8Array.from({ length: 2000 }, (_, i) => (i * i) >> 3);
  const sealed = counterMode(text.slice(16, 32), text);
  const hash = sha256(sealed);
  return ((hash[0] ^ hash[7]) >>> 4) + rsa();
}
