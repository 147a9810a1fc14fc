// A template language: texts are compiled to closures, with loops, conditions, filters, partials and escaping.
const ENTITIES = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };
const escape = (text) => String(text ?? "").replace(/[&<>"']/g, (letter) => ENTITIES[letter]);

const FILTERS = {
  upper: (value) => String(value).toUpperCase(),
  title: (value) => String(value).replace(/\b[a-z]/g, (letter) => letter.toUpperCase()),
  money: (value) => (value / 100).toFixed(2).replace(/\B(?=(\d{3})+\.)/g, ","),
  join: (value, by) => value.join(by),
  cut: (value, length) => (value.length > length ? value.slice(0, length - 1) + "\u2026" : value),
  default: (value, other) => (value === undefined || value === null || value === "" ? other : value),
};

function expression(source) {
  const [path, ...filters] = source.split("|").map((part) => part.trim());
  const names = path.split(".");
  const steps = filters.map((filter) => {
    const [name, ...rest] = filter.split(":");
    if (!(name in FILTERS)) throw new Error("no filter " + name);
    return [FILTERS[name], rest.map((text) => JSON.parse(text))];
  });
  return (scope) => {
    let value = scope;
    for (const name of names) value = value === undefined || value === null ? undefined : value[name];
    for (const [filter, rest] of steps) value = filter(value, ...rest);
    return value;
  };
}

function compile(text, partials) {
  const tokens = text.split(/(\{\{[^}]*\}\}|\{%[^%]*%\})/);
  let at = 0;
  const block = (...ends) => {
    const parts = [];
    while (at < tokens.length) {
      const token = tokens[at++];
      if (token.startsWith("{{")) {
        const raw = token[2] === "=";
        const value = expression(token.slice(raw ? 3 : 2, -2));
        parts.push((scope, out) => out.push(raw ? String(value(scope)) : escape(value(scope))));
      } else if (token.startsWith("{%")) {
        const [word, ...rest] = token.slice(2, -2).trim().split(/\s+/);
        if (ends.includes(word)) return [parts, word];
        parts.push(tag(word, rest));
      } else if (token) {
        parts.push((scope, out) => out.push(token));
      }
    }
    if (ends.length > 0) throw new Error("missing " + ends.join(" or "));
    return [parts, ""];
  };
  const all = (parts) => (scope, out) => {
    for (const part of parts) part(scope, out);
  };
  const tag = (word, rest) => {
    if (word === "for") {
      const list = expression(rest.slice(2).join(" "));
      const [parts] = block("endfor");
      const body = all(parts);
      return (scope, out) => {
        const items = list(scope) ?? [];
        items.forEach((item, index) => {
          const inner = Object.create(scope);
          inner[rest[0]] = item;
          inner.loop = { index, first: index === 0, last: index === items.length - 1 };
          body(inner, out);
        });
      };
    }
    if (word === "if") {
      const negated = rest[0] === "not";
      const condition = expression(rest.slice(negated ? 1 : 0).join(" "));
      const [yes, end] = block("else", "endif");
      const then = all(yes);
      const otherwise = end === "else" ? all(block("endif")[0]) : () => {};
      return (scope, out) => (Boolean(condition(scope)) !== negated ? then : otherwise)(scope, out);
    }
    if (word === "include") {
      const partial = partials[rest[0]];
      return (scope, out) => partial(scope, out);
    }
    throw new Error("no tag " + word);
  };
  return all(block()[0]);
}

const LINE = "<li class=\"{% if loop.first %}first{% else %}{% if loop.last %}last{% else %}item{% endif %}{% endif %}\">" +
  "{{ line.name | title | cut:18 }} &times; {{ line.count }}: {{ line.price | money }}</li>\n";
const PAGE = `<!doctype html>
<title>{{ shop.name | upper }}</title>
{% for order in orders %}<section id="{{ order.id }}">
<h2>{{ order.customer.name }} &lt;{{ order.customer.mail | default:"no address" }}&gt;</h2>
{% if not order.lines.length %}<p>Nothing was ordered.</p>{% else %}<ul>
{% for line in order.lines %}{% include line %}{% endfor %}</ul>{% endif %}
<p>{{= order.note }} {{ order.tags | join:", " }}</p>
</section>
{% endfor %}<footer>{{ shop.address.city }}{{ shop.nothing.here }}</footer>
`;

function run() {
  const orders = Array.from({ length: 40 }, (_, id) => ({
    id: "o" + id,
    customer: { name: `O'Neil & "Sons" <${id}>`, mail: id % 3 ? `c${id}@example.com` : "" },
    lines: Array.from({ length: id % 6 }, (_, n) => ({
      name: "a thing of some sort no. " + n * id,
      count: n + 1,
      price: (n + 1) * 123456 + id,
    })),
    note: "<em>" + id + "</em>",
    tags: ["new", "<b>", "t" + (id % 4)],
  }));
  const scope = { shop: { name: "corner & shop", address: { city: "Z\u00fcrich" } }, orders };
  let total = 0;
  for (let round = 0; round < 2; round++) {
    const partials = { line: compile(LINE, {}) };
    const page = compile(PAGE, partials);
    for (let again = 0; again < 3; again++) {
      const out = [];
      page(scope, out);
      const html = out.join("");
      for (let i = 0; i < html.length; i += 17) total = (total * 31 + html.charCodeAt(i)) % 1000003;
      total += html.length + out.length;
    }
  }
  return total;
}
