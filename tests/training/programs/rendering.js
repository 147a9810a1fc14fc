// Rendering: a template engine, tables, trees of elements and their differences, reports: text made of data.

const escapes = new Map([["&", "&amp;"], ["<", "&lt;"], [">", "&gt;"], ['"', "&quot;"]]);
const escaped = (value) => String(value ?? "").replace(/[&<>"]/g, (c) => escapes.get(c));

// {{path|filter:arg}} shows a value, {{#each path}}…{{/}} repeats, {{#if path}}…{{else}}…{{/}} chooses.
const FILTERS = {
  upper: (v) => String(v).toUpperCase(), money: (v, unit = "€") => group(Number(v).toFixed(2)) + " " + unit,
    raw: (v) => v,
  pad: (v, n) => String(v).padStart(+n), join: (v, by = ", ") => v.join(by), default: (v, other) => v || other,
    count: (v) => v?.length ?? 0,
};
function parse(text) {
  const root = { kind: "root", children: [] }, open = [root];
  let at = 0;
  while (at < text.length) {
    const here = open[open.length - 1], start = text.indexOf("{{", at);
    if (start !== at) here.children.push({ kind: "text", text: text.slice(at, start < 0 ? undefined : start) });
    if (start < 0) break;
    const end = text.indexOf("}}", start), tag = text.slice(start + 2, end).trim();
    at = end + 2;
    if (tag[0] === "#") {
      const [kind, path] = tag.slice(1).split(" "), block = { kind, path: path.split("."), children: [] };
      here.children.push(block);
      open.push(block);
    } else if (tag === "else") { here.then = here.children; here.children = []; }
    else if (tag[0] === "/") open.pop();
    else {
      const [path, ...filters] = tag.split("|");
      here.children.push({ kind: "value", path: path.split("."), filters: filters.map((f) => f.split(":")) });
    }
  }
  if (open.length > 1) throw new SyntaxError(`${open.at(-1).kind} is not closed`);
  return root;
}
const resolve = (scope, path) => path.reduce((value, key) => (key === "this" ? value : value?.[key]), scope);
function render(node, scope) {
  if (node.kind === "text") return node.text;
  if (node.kind === "value") {
    let value = resolve(scope, node.path), safe = false;
    for (const [name, argument] of node.filters) { value = FILTERS[name](value, argument); safe ||= name === "raw"; }
    return safe ? value : escaped(value);
  }
  const all = (children, inner) => {
    let out = "";
    for (const child of children) out += render(child, inner);
    return out;
  };
  if (node.kind === "each") {
    const items = resolve(scope, node.path) ?? [];
    return items.map((item, index) => {
      const own = typeof item === "object" ? item : null, last = index === items.length - 1;
      return all(node.children, { ...scope, ...own, item, index, last });
    }).join("");
  }
  if (node.kind === "if") {
    const value = resolve(scope, node.path), yes = Array.isArray(value) ? value.length > 0 : Boolean(value);
    return yes ? all(node.then ?? node.children, scope) : node.then ? all(node.children, scope) : "";
  }
  return all(node.children, scope);
}

function group(digits) {
  const [whole, part] = digits.split(".");
  let out = "";
  for (let i = 0; i < whole.length; i++) {
    if (i > 0 && (whole.length - i) % 3 === 0 && whole[i - 1] !== "-") out += ",";
    out += whole[i];
  }
  return part ? `${out}.${part}` : out;
}
const size = (bytes) => {
  let unit = 0;
  for (; bytes >= 1024 && unit < 4; unit++) bytes /= 1024;
  return bytes.toFixed(unit ? 1 : 0) + ["B", "KB", "MB", "GB", "TB"][unit];
};
const plural = (n, word) => `${n} ${word}${n === 1 ? "" : word.endsWith("s") ? "es" : "s"}`;
const title = (text) => text.split("_").map((w) => w[0].toUpperCase() + w.slice(1)).join(" ");
const UNITS = [[86400, "d"], [3600, "h"], [60, "m"], [1, "s"]];
const duration = (seconds) => UNITS.reduce(
  ([out, left], [n, unit]) => [left >= n ? out + Math.floor(left / n) + unit : out, left % n], ["", seconds])[0];

function table(rows, columns = Object.keys(rows[0])) {
  const number = (v) => (Number.isInteger(v) ? String(v) : v.toFixed(2));
  const cell = (v) => (typeof v === "number" ? number(v) : Array.isArray(v) ? v.join("+") : String(v ?? "-"));
  const cells = rows.map((row) => columns.map((c) => cell(row[c])));
  const widths = columns.map((c, i) => Math.max(title(c).length, ...cells.map((row) => row[i].length)));
  const fit = (text, i, fill) => text[typeof rows[0][columns[i]] === "number" ? "padStart" : "padEnd"](widths[i], fill);
  const line = (row, fill = " ") => `| ${row.map((text, i) => fit(text, i, fill)).join(" | ")} |`;
  return [line(columns.map(title)), line(columns.map(() => ""), "-"), ...cells.map((row) => line(row))].join("\n");
}

const h = (tag, props, ...children) => ({ tag, props: props ?? {},
  children: children.flat(Infinity).filter((c) => c != null && c !== false) });
const css = (style) => Object.entries(style).map(([k, v]) => k.replace(/[A-Z]/g, "-$&").toLowerCase() + ":"
  + v).join(";");
const VOID = new Set(["br", "img", "input"]);
function html(node, depth = 0) {
  if (typeof node !== "object") return escaped(node);
  const { tag, props, children } = node;
  if (typeof tag === "function") return html(tag({ ...props, children }), depth);
  let open = "<" + tag;
  for (const [key, value] of Object.entries(props)) {
    if (value === false || value == null || key.startsWith("on")) continue;
    const shown = key === "style" ? css(value) : key === "class" && Array.isArray(value)
      ? value.filter(Boolean).join(" ") : value;
    open += shown === true ? " " + key : ` ${key}="${escaped(shown)}"`;
  }
  if (VOID.has(tag)) return open + ">";
  const simple = children.every((c) => typeof c !== "object"), pad = "\n" + "  ".repeat(depth + 1);
  const inside = simple ? children.map((c) => escaped(c))
    : [...children.map((c) => pad + html(c, depth + 1)), pad.slice(0, -2)];
  return open + ">" + inside.join("") + `</${tag}>`;
}
const Row = ({ user, children }) => h(
  "tr", { class: ["row", user.active && "on"], "data-id": user.id, style: { fontSize: user.id + "px", color: "red" } },
  h("td", null, user.name, " & ", user.role),
  h("td", { onclick: () => 1, hidden: !user.active }, children),
  h("td", null, h("img", { src: `/u/${user.id}.png`, alt: user.name })),
);

function patches(a, b, path = "") {
  if (a === undefined) return [`+${path}`];
  if (b === undefined) return [`-${path}`];
  if (typeof a !== typeof b || typeof a !== "object") return a === b ? [] : [`=${path}`];
  const out = a.tag === b.tag ? [] : [`!${path}`];
  for (const key of new Set([...Object.keys(a.props), ...Object.keys(b.props)])) {
    const { [key]: old } = a.props, { [key]: now } = b.props;
    if (typeof old !== "object" && typeof old !== "function" && old !== now) out.push(`@${path}.${key}`);
  }
  const length = Math.max(a.children.length, b.children.length);
  for (let i = 0; i < length; i++) out.push(...patches(a.children[i], b.children[i], `${path}/${i}`));
  return out;
}

const PAGE = parse(`<h1>{{title|upper}}</h1>{{#if users}}<ul>{{#each users}}
<li>{{index|pad:3}} {{name}} <i>{{role|default:guest}}</i> {{#if active}}on{{else}}off since {{stats.last}}{{/}}
{{stats.spent|money:$}} [{{tags|join:/}}]{{#if last}}.{{else}},{{/}}</li>{{/}}
</ul>{{else}}nobody{{/}}{{footer|raw}} {{users|count}} {{nothing.here}}`);

function report(users) {
  const byRole = users.reduce((all, user) => {
    (all[user.role || "none"] ||= []).push(user);
    return all;
  }, {}), lines = [];
  for (const role of Object.keys(byRole).sort()) {
    const members = byRole[role], spent = members.map((u) => u.stats.spent).sort((x, y) => x - y),
      sum = spent.reduce((x, y) => x + y, 0);
    const mean = sum / spent.length, half = spent.length >> 1;
    const median = spent.length % 2 ? spent[half] : (spent[half - 1] + spent[half]) / 2;
    lines.push(`## ${title(role)}: ${plural(members.length, "user")}, ${plural(role.length, "pass")}`);
    lines.push(`- total ${group(sum.toFixed(2))}, mean ${mean.toFixed(1)}, median ${median.toFixed(1)}`);
    lines.push(`- ${"█".repeat(mean / 40).padEnd(20, "░")} ${((100 * members.length) / users.length).toFixed(1)}%`);
    lines.push(`- ${size(sum * 997)}, ${duration(Math.round(sum * 13))}`);
  }
  return lines.join("\n");
}

const euros = new Intl.NumberFormat("en-US", { style: "currency", currency: "EUR" });
const days = new Intl.DateTimeFormat("en-US", { dateStyle: "medium", timeZone: "UTC" });
function localized(users) {
  return users.slice(0, 6).map(({ id, stats: { spent } }) => [
    euros.format(spent), (spent * 1e3).toLocaleString("en-US"), days.format(new Date(864e5 * id * 30)),
    (id / 50).toLocaleString("en-US", { style: "percent" }),
    new Date(9e11).toLocaleDateString("en-US", { timeZone: "UTC", weekday: "long" }),
  ].join(" ")).join("\n");
}

function run() {
  let hash = 1;
  for (let round = 0; round < 8; round++) {
    const users = Array.from({ length: 40 }, (_, i) => ({
      id: i, name: `User <${(i * 17 + round) % 41}>`,
        role: ["admin", "", "team_lead", "editor"][(i * 3) % 4 ^ (i & 1)], active: i % 3 > 0,
      stats: { spent: ((i * 7919) % 100000) / 75, last: `2024-0${1 + (i % 9)}-11` }, tags: ["x", "y", "z"].slice(i % 3),
    }));
    users.sort((a, b) => a.role.localeCompare(b.role) || a.name.length - b.name.length || b.id - a.id);
    const tree = (list) => h("table", { id: "t" },
      list.map((user) => h(Row, { user, key: user.id }, h("b", null, user.stats.spent.toFixed(2)), null, false)));
    const flat = (list) => h("div", null, list.map((u) => h(u.active ? "p" : "span", { id: u.id, title: u.role },
      u.name, h("br"), u.stats.spent)));
    const rows = users.map(({ id, name, role, stats: { spent }, tags }) => ({ id, name, role, spent, tags,
      "since_when": id % 5 ? undefined : "2024" }));
    const shown = [render(PAGE, { title: "Users & more", users, footer: "<hr>" }),
      render(PAGE, { title: "none", users: [] }),
      table(rows), table(rows, ["name", "spent"]), html(tree(users)),
      patches(flat(users), flat(users.toReversed().slice(2))).join(), report(users), localized(users)].join("\n");
    for (let i = 0; i < shown.length; i += 3) hash = (Math.imul(hash, 31) + shown.charCodeAt(i)) | 0;
  }
  return hash;
}
