// Bytes: typed arrays of every kind, views, buffers that grow, hashes and encodings by hand, BigInt.

function views() {
  const buffer = new ArrayBuffer(256), view = new DataView(buffer), octets = new Uint8Array(buffer);
  let crc = -1, fnv = 0x811c9dc5;
  for (let i = 0; i < 256; i += 16) {
    view.setInt16(i, i * 100 - 3000, true); view.setUint32(i + 2, i * 0x1010101);
    view.setFloat64(i + 6, i / 7); view.setInt8(i + 14, -i); view.setUint8(i + 15, i);
  }
  for (const byte of octets) {
    fnv = Math.imul(fnv ^ byte, 0x01000193);
    crc ^= byte;
    for (let k = 0; k < 8; k++) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  }
  const words = new Int16Array(buffer, 0, 64), clamped = Uint8ClampedArray.of(300, -5, 127.6),
    copy = octets.slice(10, 90);
  const big = new Uint32Array(40).fill(7).map((v, i) => v * i), part = octets.subarray(5, 50),
    half = Float32Array.from([0.1, 2]);
  copy.set(part, 3); copy.sort(); big.reverse(); words[3] += 70000; octets.copyWithin(0, 100, 140);
  return [fnv >>> 0, ~crc >>> 0, view.getFloat64(22), view.getInt16(16, true), view.getUint32(18),
    words.reduce((a, b) => a + b), clamped.join(), copy.indexOf(60), big.at(2), part.length, half[0].toFixed(4),
    buffer.slice(8, 40).byteLength, Array.from(octets).filter((b) => b > 200).length,
    [...big.subarray(30)].join("")].join();
}

function bigs() {
  let a = 0n, b = 1n, factorial = 1n;
  for (let i = 0; i < 120; i++) [a, b] = [b, a + b];
  for (let i = 1n; i <= 30n; i++) factorial *= i;
  let power = 1n, base = 7n;
  for (let e = 65537n; e > 0n; e >>= 1n) {
    if (e & 1n) power = (power * base) % 1000000007n;
    base = (base * base) % 1000000007n;
  }
  const half = factorial / (2n ** 60n), small = BigInt(42) * -3n + 5n;
  return [a, factorial.toString(36), power, half, small % 7n, BigInt.asUintN(32, -1n), BigInt("0xff") << 5n, a > b,
    small < 0, 5n == 5, Number(a % 1000n), BigInt.asIntN(8, 200n), new BigInt64Array([a % 99n])[0],
    (a ^ b) & 0xffffn].join();
}

const KINDS = [Int8Array, Uint8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array, Uint32Array,
  Float32Array, Float64Array];

function kinds() {
  const out = [];
  for (const Kind of KINDS) {
    const array = new Kind(48), from = new Kind([3, 1, 2]);
    let sum = 0;
    for (let i = 0; i < array.length; i++) array[i] = i * 7 - 100 + i / 2;
    for (let i = 0; i < array.length; i++) { sum += array[i]; array[i] += 1; array[i] ^= 3; }
    for (const v of array) sum -= v;
    const sorted = array.slice(4, 30).sort((a, b) => b - a), other = new Float64Array(array),
      wider = Kind.from(other, (v) => v / 2);
    out.push(Kind.name, sum, sorted[0], array.toSorted()[3], array.find((v) => v > 20),
      array.findLastIndex((v) => v < 10), array.with(2, 9)[2], from.toReversed().join(""), wider.at(-1),
      array.includes(7), array.indexOf(array[9]), from.fill(5, 1).join(""),
      array.map((v) => v * 2).reduce((a, b) => a + b), array.every((v) => v === v), array.subarray(3, 6).length,
      array.lastIndexOf(999));
    array.set([1, 2, 3], 5);
    array.set(from, 20);
    array.reverse().copyWithin(0, 40);
    out.push(array[0], [...array.keys()].length, Object.prototype.toString.call(array), array.BYTES_PER_ELEMENT,
      array.join("").length);
  }
  return out.join();
}

function hashes() {
  const data = Uint8Array.from({ length: 500 }, (_, i) => (i * i + 3 * i) & 255),
    table = new Uint32Array(256).map((_, n) => {
    for (let k = 0; k < 8; k++) n = n & 1 ? 0xedb88320 ^ (n >>> 1) : n >>> 1;
    return n;
  });
  let crc = 0xffffffff, a = 1, b = 0, h = 0x9747b28c;
  for (let i = 0; i < data.length; i++) {
    crc = table[(crc ^ data[i]) & 255] ^ (crc >>> 8);
    a = (a + data[i]) % 65521;
    b = (b + a) % 65521;
    h = Math.imul((h ^ data[i]) << 13 | (h ^ data[i]) >>> 19, 5) + 0xe6546b64 | 0;
  }
  const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  let text = "";
  for (let i = 0; i < 300; i += 3) {
    const word = (data[i] << 16) | (data[i + 1] << 8) | data[i + 2];
    text += letters[word >> 18] + letters[(word >> 12) & 63] + letters.charAt((word >> 6) & 63) + letters[word & 63];
  }
  const runs = [];
  for (let i = 0, n = 1; i < text.length; i++, n++) if (text[i] !== text[i + 1]) {
    runs.push(text[i] + (n > 1 ? n : ""));
    n = 0;
  }
  return [(crc ^ -1) >>> 0, b * 65536 + a, h >>> 0, text.slice(-20), runs.length,
    [...data.slice(0, 9)].map((v) => v.toString(2).padStart(8, "0")).join("")].join();
}

function packets() {
  const buffer = new ArrayBuffer(64, { maxByteLength: 4096 }), view = new DataView(buffer), out = [];
  let at = 0;
  const need = (n) => { while (at + n > buffer.byteLength) buffer.resize(buffer.byteLength * 2); };
  for (let i = 0; i < 60; i++) {
    need(24);
    view.setUint8(at, i); view.setUint16(at + 1, i * 300); view.setInt32(at + 3, -i * 70000, true);
      view.setFloat32(at + 7, i / 3);
    view.setBigUint64(at + 11, BigInt(i) << 40n); view.setInt8(at + 19, -i);
    at += 20;
  }
  for (let i = 0; i < at; i += 20) {
    out.push(view.getUint8(i) + view.getUint16(i + 1) + view.getInt32(i + 3, true) + view.getFloat32(i + 7)
      + view.getInt8(i + 19));
    if (i % 200 === 0) out.push(view.getBigUint64(i + 11), view.getBigInt64(i + 11, true));
  }
  try { view.getInt32(buffer.byteLength); } catch (error) { out.push(error.name); }
  return [buffer.byteLength, buffer.resizable, ArrayBuffer.isView(view), buffer.transfer().byteLength, buffer.detached,
    ...out].join();
}

function integers() {
  let x = 123456789012345678901234567890n, y = -987654321098765432109n, count = 0n;
  const out = [];
  for (let i = 0; i < 12; i++) {
    x = (x * 31n - y) ^ (y >> 3n);
    y = -(y + (x & 0xffffffffffn)) | 1n;
    if (x > 1e30 && x !== y && y < 10) count++;
    out.push((x / (y || 1n)) % 1000n, x << 2n === x * 4n, ~y === -y - 1n);
    x %= 10n ** 40n;
  }
  const root = (n) => { let r = n; for (let k = (r + 1n) / 2n; k < r; k = (r + n / r) / 2n) r = k; return r; };
  const gcd = (a, b) => (b ? gcd(b, a % b) : a), digits = String(root(2n * 10n ** 80n));
  return [...out, count--, digits, gcd(2n ** 64n - 1n, 3n ** 20n - 1n), Number(2n ** 70n),
    BigInt(Number.MAX_SAFE_INTEGER) + 2n, typeof x, BigInt("-42") ** 3n, (255n).toString(2),
    parseInt("9007199254740993"), BigInt.asUintN(64, -5n), [3n, 1n, 2n].sort().join(), 0n || "zero"].join();
}

const SECTIONS = [views, kinds, hashes, packets, bigs, integers];

function run() {
  let hash = 0;
  for (let round = 0; round < 25; round++) {
    for (const section of SECTIONS) {
      const text = String(section());
      for (let i = 0; i < text.length; i += 3) hash = (Math.imul(hash, 31) + text.charCodeAt(i)) | 0;
    }
  }
  return hash;
}
