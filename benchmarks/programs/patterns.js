// Regular expressions on long texts: variants of patterns counted in a sequence, names turned, a text made shorter.
function sequence(length) {
  let seed = 42;
  let text = "";
  for (let i = 0; i < length; i++) {
    seed = (seed * 75 + 74) % 65537;
    text += "acgtacgtaacctggtWSN"[(seed >> 3) % 19];
    if (i % 70 === 69) text += "\n";
  }
  return text;
}

function run() {
  const raw = ">one a sequence\n" + sequence(4000) + "\n>two another one\n" + sequence(2500);
  const text = raw.replace(/>.*\n|\n/g, "");
  let total = raw.length * 3 + text.length;
  const variants = [
    /cat[acg]|[act]gac/gi,
    /t[cga]ga|tg[act]c/gi,
    /(?:ac){2}|(?:gt){2,3}/g,
    /g(?=[ct]{2})[ct]+a/g,
    /(?<!a)t{2}(?!g)/g,
    /([acgt])\1([acgt])\2/g,
    /[^acgt]{2}/gi,
    /(?:a|c|g|t)*?WS/g,
  ];
  for (const variant of variants) total = (total * 7 + (text.match(variant) || []).length) % 1000003;
  const codes = { W: "(a|t)", S: "(c|g)", N: "(a|c|g|t)" };
  const spelled = text.replace(/[WSN]/g, (letter) => codes[letter]);
  total += spelled.length;
  const runs = new Map();
  for (const match of text.matchAll(/(a+)|(c+)|(g+)|(t+)/g)) {
    const name = match[0][0] + match[0].length;
    runs.set(name, (runs.get(name) || 0) + 1);
  }
  for (const [name, count] of [...runs].sort()) total = (total * 3 + name.charCodeAt(0) * count) % 1000003;
  const parts = text.split(/a?WS|N+/);
  total += parts.length + parts.filter((part) => /^(?:[acgt]{3})+$/.test(part)).length;
  const sticky = /([acgt]{1,9})([WSN]+)/y;
  for (let match = sticky.exec(text); match !== null; match = sticky.exec(text)) total += match[1].length * sticky.lastIndex;
  return total;
}
