// Regular expressions: every kind of term and flag, all the methods that take them, and small readers made of them.

const LEVELS = ["INFO", "WARN", "ERROR", "DEBUG"];
const PATHS = ["/api/users/17", "/static/app.min.js?v=3", "/login", "/api/orders/2024-05-01/items", "/Straße/été"];

function logLines(count) {
  const lines = [];
  for (let i = 0; i < count; i++) {
    lines.push(`2024-0${1 + (i % 9)}-1${i % 10}T0${i % 10}:3${i % 6}:0${i % 7}.${100 + i}Z [${LEVELS[i % 4]}] ` +
      `10.0.${i % 256}.${(i * 7) % 256} "${i % 3 ? "GET" : "POST"} ${PATHS[i % 5]}" ${200 + (i % 5) * 100} ` +
      `took=${i * 3}ms user=u${i % 11}@example.${i % 2 ? "com" : "org"}`);
  }
  return lines;
}

const START = /^(?<date>\d{4}-\d\d-\d\d)T(?<time>[\d:.]+)Z \[(?<level>[A-Z]+)\] /;
const LINE = new RegExp(START.source + /(?<ip>\d{1,3}(?:\.\d{1,3}){3}) "(GET|POST) ([^"]*)" (\d{3}) (.*)$/.source);

function reading(lines) {
  let bytes = 0, errors = 0;
  const hosts = new Set();
  for (const line of lines) {
    const match = LINE.exec(line);
    if (!match) continue;
    const { date, level, ip } = match.groups;
    const [, , , , , method, path, status, rest] = match;
    hosts.add(ip);
    if (/^(?:WARN|ERROR)$/.test(level) && +status >= 500) errors++;
    const fields = Object.fromEntries([...rest.matchAll(/(\w+)=(\S+)/g)].map(([, key, value]) => [key, value]));
    bytes += parseInt(fields.took) + date.length + method.length + path.split(/[/?&]/).length;
    if (/^[\w.+-]+@[\w-]+(\.[\w-]+)*\.(com|org)$/i.test(fields.user)) bytes += 2;
  }
  return [bytes, errors, hosts.size].join();
}

const TOKEN = /\s*(?:(\d+(?:\.\d+)?)|("(?:[^"\\]|\\.)*")|([A-Za-z_$][\w$]*)|(===|=>|[-+*/%<>=!&|]=?|[(){}[\],.;?:]))/y;
const KEYWORDS = /^(?:let|if|else|return|function|while|const)$/;

function tokens(text) {
  const kinds = [0, 0, 0, 0, 0];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < text.length) {
    const match = TOKEN.exec(text);
    if (match === null) break;
    if (match[1] !== undefined) kinds[0]++;
    else if (match[2]) kinds[1]++;
    else if (match[3]) kinds[KEYWORDS.test(match[3]) ? 2 : 3]++;
    else kinds[4]++;
  }
  return kinds.join("-");
}

function csv(text) {
  const rows = [];
  for (const line of text.split(/\r?\n/)) {
    const row = [];
    for (const [, quoted, plain] of line.matchAll(/(?:^|,)(?:"((?:[^"]|"")*)"|([^,]*))/g)) {
      row.push(quoted === undefined ? plain : quoted.replace(/""/g, '"'));
    }
    rows.push(row);
  }
  return rows.reduce((sum, row) => sum + row.length + row.join("").length, 0);
}

const ENTITIES = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };
const escapeHtml = (text) => text.replace(/[&<>"']/g, (c) => ENTITIES[c]);
const unescapeHtml = (text) => text.replace(/&(?:amp|lt|gt|quot|#39);/g,
  (e) => Object.keys(ENTITIES).find((k) => ENTITIES[k] === e));

function rewriting(text) {
  const camel = text.replace(/[-_\s]+(\w)/g, (_, c) => c.toUpperCase());
  const snake = camel.replace(/([a-z\d])([A-Z])/g, "$1_$2").toLowerCase();
  const slug = text.normalize("NFD").replace(/[\u0300-\u036f]/g, "").replace(/[^a-z0-9]+/gi, "-").replace(/^-|-$/g, "");
  const thousands = "1234567.891".replace(/\B(?=(\d{3})+(?!\d))(?<!\.\d*)/g, ",");
  const swapped = "Doe, John; Roe, Jane".replace(/(?<last>\w+), (?<first>\w+)/g, "$<first> $<last> [$&|$1|$$]");
  const filled = "Dear {name}, {missing} of {{x}}".replace(/\{(\w+)\}/g, (all, key) => ({ name: "Ann" })[key] ?? all);
  const quoted = 'a "b" \'c\' "d\'s"'.match(/(["']).*?\1/g);
  return [camel.length, snake.length, slug.slice(0, 30), thousands, swapped, filled, quoted.join("|"),
    text.replaceAll(/\b(\w)/g, (c) => c.toUpperCase()).length,
    text.replace(/(\w+) (\w+)/, "$2 $1").slice(0, 20)].join();
}

const KINDS = [/colou?r/, /(cat|dog|bird)s?\b/i, /^\s*#{1,6}\s+(.+)$/gm, /<(\w+)[^>]*>.*?<\/\1>/gs, /\d+(?=€)/,
  /(?<=\$)\d+(\.\d\d)?/g, /(?<!un)known/, /\p{Lu}\p{Ll}+/gu, /[\p{Script=Greek}\d]+/gu, /\u{1F600}/u, /^.{3,8}$/m,
  /(a+)(b*)c{2,}?/, /[^\x00-\x7f]+/g, /(?:(\d+)|([a-z]+))+/g, /x*?y|z+?/, /^$/gm, /\bthe\b/gi, /[\s\S]{5}$/,
  /(?=.*\d)(?=.*[a-z]).{6,}/, /(\w)\1/g, /\B-\B|[-\]^]/, /(?<y>\d{4})-(?<m>\d\d)/dg, /[\p{L}--[a-z]]/v,
  /(?:ab|cd){2}|e.f/s, /\D+\S\W/, /[А-я]+/g, /ÉTÉ/iu, /o/g, ];
const SUBJECTS = ["The colour of known cats and 12€ or $15.25 <b>bold</b>",
  "# Title\n\n## Über Größe\nunknown birds: aabbccc 2024-05\n",
  "<p class='x'>one\ntwo</p> Ωμέγα 42 😀 été Привет - aa bb", "password1 xyzzz abcdab ^ ] the The end", "", ];

function kinds() {
  const shown = [];
  for (const regexp of KINDS) {
    for (const subject of SUBJECTS) {
      regexp.lastIndex = 0;
      const match = regexp.global ? subject.match(regexp) : regexp.exec(subject);
      shown.push(match ? match.length + match[0] : "-", subject.search(regexp), subject.replace(regexp, "[$&]").length);
      if (regexp.hasIndices && match) shown.push(regexp.exec(subject)?.indices?.groups?.y?.join());
      if (regexp.global) shown.push(subject.split(regexp).length);
    }
  }
  return shown.join("");
}

function made(words) {
  let count = 0;
  for (const word of words) {
    const whole = new RegExp("\\b" + word.replace(/[.*+?^${}()|[\]\\]/g, "\\$&") + "\\b", "gi");
    count += (SUBJECTS.join(" ").match(whole) ?? []).length + whole.source.length + whole.flags.length;
    count += RegExp(`^(?:${word}|[${word}]+?)$`).test(word) ? 1 : 0;
  }
  return count + String(/a\/b/gi);
}

const SOURCE = 'function area(w, h) { let total = 0.5; while (total <= 100) { total += w * h;\n' +
  ' if (w === "a\\"b") return [w, h]; }\n' +
  ' const next = (x) => x.list[total % 3] ? "yes" : other_name || $value; return { area: total, next: next(12) }; }\n';

function run() {
  const lines = logLines(60), results = [];
  const table = lines.map((line, i) => `${i},"${line.replaceAll('"', '""').slice(0, 60)}",${i * 2},"a,b"`).join("\r\n");
  for (let round = 0; round < 11; round++) {
    results.push(reading(lines), tokens(SOURCE.repeat(4)), csv(table),
      rewriting(lines[round] + " made-of some_words ètre"));
    const html = escapeHtml(`<a href="x?a=1&b='2'">${lines.slice(0, 8).join("<br>")}</a>`);
    results.push(html.length, unescapeHtml(html).length, kinds(), made(["the", "c.t", "a+b", "Ωμέγα", "known"]));
    results.push(lines.filter((line) => /ERROR.*\b(4|5)\d\d\b/.test(line)).length,
      lines.join("\n").match(/took=\d+/g).length);
  }
  let hash = 0;
  for (const c of results.join(";")) hash = (Math.imul(hash, 131) + c.codePointAt(0)) >>> 0;
  return hash;
}
