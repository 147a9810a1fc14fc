// Strings: building, cutting, searching, comparing and converting them, narrow and wide, from one character to ropes.

const WORDS = ("river stone window garden quiet yellow morning letter bridge paper silver market under winter little " +
  "orange number simple father corner travel summer evening button shoulder kitchen thunder pocket").split(" ");
const WIDE_WORDS = ["straße", "Ωmega", "naïve", "東京", "Привет", "café", "😀", "señor", "Łódź", "e\u0301te\u0301",
  "𝒳-ray"];

function sentence(seed, length, words) {
  let state = seed, text = "";
  for (let i = 0; i < length; i++) {
    state = (state * 1103515245 + 12345) % 2147483648;
    if (i > 0) text += i % 9 === 0 ? ", " : " ";
    text += words[state % words.length];
  }
  return text + ".";
}

function cutting() {
  const text = sentence(7, 260, WORDS);
  const parts = text.split(" ");
  let total = 0;
  for (const part of parts) {
    const bare = part.endsWith(",") ? part.slice(0, -1) : part;
    const capital = bare.charAt(0).toUpperCase() + bare.substring(1);
    total += capital.length + bare.slice(1, 3).length + bare.substr(-2, 1).charCodeAt(0)
      + (bare.at(-1) === "r" ? 1 : 0);
  }
  const joined = parts.map((part, i) => (i % 3 ? part.toUpperCase() : part.toLowerCase())).join("_");
  return total + joined.split("_").length + joined.split("").length + [...text].reverse().join("").indexOf("revir") +
    text.split(", ", 3).join("|");
}

function searching() {
  const text = sentence(11, 400, WORDS);
  let found = 0, from = 0;
  for (const word of WORDS) {
    for (from = text.indexOf(word); from >= 0; from = text.indexOf(word, from + word.length)) found++;
    found += text.lastIndexOf(word) % 7;
    if (text.includes(word + ",")) found += 3;
    if (text.startsWith(word) || text.endsWith(word + ".")) found += 100;
  }
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === 101 || text[i] === "o") found++;
    else if (code >= 97 && code <= 102) found += 2;
  }
  return found + text.search("bridge") + text.replaceAll("river", "sea").replace("stone", "rock").length;
}

function vowelsAndCiphers() {
  const text = sentence(23, 90, WORDS);
  let out = "", vowels = 0;
  for (const c of text) {
    if ("aeiou".includes(c)) vowels++;
    const code = c.charCodeAt(0);
    out += code >= 97 && code <= 122 ? String.fromCharCode(((code - 97 + 13) % 26) + 97) : c;
  }
  const counts = {};
  for (let i = 0; i < out.length; i++) counts[out[i]] = (counts[out[i]] || 0) + 1;
  const letters = Object.keys(counts).sort((a, b) => counts[b] - counts[a] || (a < b ? -1 : 1));
  return `${vowels}:${letters.join("")}:${out.slice(0, 20)}`;
}

function tag(strings, ...values) {
  return strings.reduce((all, part, i) => all + part + (i < values.length ? `<${values[i]}>` : ""), "")
    + strings.raw[0];
}

function templates() {
  let length = 0, last = "";
  for (let i = 0; i < 250; i++) {
    const name = WORDS[i % WORDS.length];
    last = `#${i} ${name}: ${i * 1.5} of ${i % 2 === 0} and ${null} in ${[i, name]}`;
    length += last.length + tag`row\t${i} is ${name}!`.length + ("(" + i + ", " + name + ")").length;
    length += name.padStart(10, ".").padEnd(14).length + "-".repeat(i % 20).concat("+", i).length;
  }
  return length + last;
}

function trimming() {
  let out = "";
  for (let i = 0; i < 200; i++) {
    const raw = `  ${WORDS[i % WORDS.length]}\t: value ${i} \n`;
    const [key, value] = raw.trim().split(":");
    out = out.slice(-300) + key.trimEnd() + "=" + value.trimStart() + ";";
    if (raw.trimEnd() !== raw && !raw.startsWith("r")) out += raw.length;
  }
  return out;
}

function wide() {
  const text = sentence(31, 120, [...WIDE_WORDS, ...WORDS.slice(0, 12)]);
  let points = 0, units = 0, astral = 0;
  for (const c of text) {
    points += c.codePointAt(0) & 1023;
    if (c.length === 2) astral++;
  }
  for (let i = 0; i < text.length; i++) units = (units * 31 + text.charCodeAt(i)) | 0;
  const upper = text.toUpperCase(), folded = text.toLowerCase().normalize("NFD").replaceAll("\u0301", "");
  const cut = text.slice(10, 40) + text.substring(60, 30) + String.fromCodePoint(0x1f600 + (units & 15), 233, 65);
  return [points, units, astral, upper.length, folded.length, folded.normalize("NFC").length, text.indexOf("東"),
    text.split("").length, [...text].length, cut, encodeURIComponent(text).length, decodeURIComponent(encodeURI(cut)),
    text.isWellFormed(), "\ud83d".toWellFormed().charCodeAt(0), text.lastIndexOf("café")].join("~");
}

function comparing() {
  const names = [];
  for (let i = 0; i < 160; i++) names.push(WORDS[(i * 7) % WORDS.length] + (i % 10) + (i % 13 === 0 ? "é" : ""));
  const plain = names.slice().sort();
  const other = names.toSorted((a, b) => (a > b ? -1 : a < b ? 1 : 0));
  let equal = 0, order = 0;
  for (let i = 1; i < plain.length; i++) {
    if (plain[i] === plain[i - 1]) equal++;
    if (plain[i] == other[i] || plain[i] <= other[i]) order++;
    if (i % 4 === 0) order += "abc".localeCompare("abd") + plain[i].localeCompare(plain[i]);
  }
  return `${equal}/${order}/${plain[0]}/${other[0]}`;
}

function odds() {
  const raw = String.raw`a\n${1}b`, sigma = "ΟΔΥΣΣΕΥΣ ΟΔΟΣ".toLowerCase(), left = "ab".repeat(400) + sigma,
    right = "ab".repeat(399) + "ac" + sigma;
  let order = 0, joined = "x".repeat(600) + raw, same = "x".repeat(600) + raw;
  for (let i = 0; i < 60; i++) {
    joined += "piece " + i;
    same += "piece ";
    same += i;
    order += left < right ? 1 : 0;
    order += joined === same ? 2 : 0;
    order += joined > left + i ? 4 : 0;
    order += Number(new String("12")) + [new Boolean(true).valueOf() ? 1 : 0, new Number(3)].length
      + (new String("ab")[1] === "b" ? 1 : 0);
  }
  const shown = ["a-b_c".split(/[-_]/).map((s, i) => (i ? s.toUpperCase() : s)).join(""), "ab".concat(1, null),
    "İı".toLowerCase().length, "ﬀ".toUpperCase()];
  return [raw, sigma, order, shown, "x".codePointAt(3), "abc".at(-4), "a,b,,c".split(",", -1).length,
    "".split("").length, "abcabc".lastIndexOf("c", -5)].join();
}

function ropes() {
  let html = "", back = "";
  for (let i = 0; i < 1500; i++) {
    html += "<li class='item'>" + i + "</li>\n";
    if (i % 5 === 0) back = WORDS[i % WORDS.length] + back;
    if (i % 400 === 0) html += back.length;
  }
  let half = html.slice(html.length >> 1);
  for (let i = 0; i < 40; i++) half = half.slice(3) + html[i];
  return html.length + back.slice(0, 9) + html.lastIndexOf("</li>") + half.length + half.charCodeAt(5000);
}

function conversions() {
  let sum = 0, text = "";
  for (let i = 0; i < 300; i++) {
    const number = i % 3 === 0 ? i : i / 8;
    text = String(number) + "," + (number + 0.1) + "," + number.toString();
    sum += Number(text.split(",")[0]) + parseFloat(text) + +("" + i) + parseInt(`${i}px`, 10) + Number("0x" + (i % 9));
    if (isNaN(Number(text))) sum += 1;
    text += [String(true), String(undefined), String(null), String([1, [2, 3]]), String({}),
      `${Symbol("s").toString()}`];
  }
  return Math.round(sum) + text;
}

const SECTIONS = [cutting, searching, vowelsAndCiphers, templates, trimming, wide, comparing, odds, ropes, conversions];

function run() {
  let hash = 7;
  for (let round = 0; round < 7; round++) {
    for (const section of SECTIONS) {
      const shown = String(section());
      for (let i = 0; i < shown.length; i += 5) hash = (Math.imul(hash, 33) + shown.charCodeAt(i)) >>> 0;
    }
  }
  return hash;
}
