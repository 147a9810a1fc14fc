// A small language: scanner, parser by binding powers, a folding pass, an evaluator over the tree, a printer and back again.
const POWERS = { "||": 1, "&&": 2, "==": 3, "!=": 3, "<": 4, ">": 4, "<=": 4, ">=": 4, "+": 5, "-": 5, "*": 6, "/": 6, "%": 6 };
const WORDS = new Set(["let", "fn", "if", "else", "while", "return"]);

function scan(source) {
  const tokens = [];
  let at = 0;
  while (at < source.length) {
    const code = source.charCodeAt(at);
    const start = at;
    if (code === 32 || code === 10) {
      at++;
      continue;
    }
    if (code === 35) {
      while (at < source.length && source[at] !== "\n") at++;
      continue;
    }
    if (code >= 48 && code <= 57) {
      while (source.charCodeAt(at) >= 48 && source.charCodeAt(at) <= 57) at++;
      tokens.push({ type: "number", value: Number(source.slice(start, at)), start });
    } else if ((code >= 97 && code <= 122) || (code >= 65 && code <= 90) || code === 95) {
      while (/\w/.test(source[at] ?? "")) at++;
      const text = source.slice(start, at);
      tokens.push({ type: WORDS.has(text) ? text : "name", value: text, start });
    } else {
      const pair = source.slice(at, at + 2);
      const type = pair in POWERS ? pair : source[at];
      at += type.length;
      tokens.push({ type, value: type, start });
    }
  }
  tokens.push({ type: "end", value: "", start: at });
  return tokens;
}

class Parser {
  constructor(source) {
    this.tokens = scan(source);
    this.at = 0;
  }
  get type() {
    return this.tokens[this.at].type;
  }
  take(type) {
    const token = this.tokens[this.at];
    if (token.type !== type) throw new SyntaxError(`expected ${type} at ${token.start}, found ${token.type}`);
    this.at++;
    return token;
  }
  program() {
    const body = [];
    while (this.type !== "end") body.push(this.statement());
    return { kind: "block", body };
  }
  block() {
    const body = [];
    this.take("{");
    while (this.type !== "}") body.push(this.statement());
    this.take("}");
    return { kind: "block", body };
  }
  statement() {
    switch (this.type) {
      case "let": {
        this.take("let");
        const name = this.take("name").value;
        this.take("=");
        return this.ended({ kind: "let", name, value: this.expression(0) });
      }
      case "fn": {
        this.take("fn");
        const name = this.take("name").value;
        this.take("(");
        const parameters = [];
        while (this.type !== ")") {
          parameters.push(this.take("name").value);
          if (this.type === ",") this.take(",");
        }
        this.take(")");
        return { kind: "fn", name, parameters, body: this.block() };
      }
      case "if": {
        this.take("if");
        const test = this.expression(0);
        const then = this.block();
        if (this.type !== "else") return { kind: "if", test, then, otherwise: null };
        this.take("else");
        return { kind: "if", test, then, otherwise: this.type === "if" ? this.statement() : this.block() };
      }
      case "while":
        this.take("while");
        return { kind: "while", test: this.expression(0), body: this.block() };
      case "return":
        this.take("return");
        return this.ended({ kind: "return", value: this.expression(0) });
    }
    const value = this.expression(0);
    if (this.type === "=" && value.kind === "name") {
      this.take("=");
      return this.ended({ kind: "assign", name: value.name, value: this.expression(0) });
    }
    return this.ended({ kind: "do", value });
  }
  ended(node) {
    this.take(";");
    return node;
  }
  expression(power) {
    let left = this.primary();
    for (;;) {
      const operator = this.type;
      const binds = POWERS[operator];
      if (binds === undefined || binds <= power) return left;
      this.at++;
      left = { kind: "binary", operator, left, right: this.expression(binds) };
    }
  }
  primary() {
    const token = this.tokens[this.at++];
    switch (token.type) {
      case "number":
        return { kind: "number", value: token.value };
      case "name": {
        let node = { kind: "name", name: token.value };
        while (this.type === "(") {
          this.take("(");
          const values = [];
          while (this.type !== ")") {
            values.push(this.expression(0));
            if (this.type === ",") this.take(",");
          }
          this.take(")");
          node = { kind: "call", callee: node, values };
        }
        return node;
      }
      case "-":
        return { kind: "negative", value: this.expression(7) };
      case "(": {
        const inner = this.expression(0);
        this.take(")");
        return inner;
      }
    }
    throw new SyntaxError(`unexpected ${token.type} at ${token.start}`);
  }
}

const APPLY = {
  "+": (a, b) => (a + b) | 0,
  "-": (a, b) => (a - b) | 0,
  "*": (a, b) => Math.imul(a, b),
  "/": (a, b) => (b === 0 ? 0 : (a / b) | 0),
  "%": (a, b) => (b === 0 ? 0 : a % b | 0),
  "<": (a, b) => Number(a < b),
  ">": (a, b) => Number(a > b),
  "<=": (a, b) => Number(a <= b),
  ">=": (a, b) => Number(a >= b),
  "==": (a, b) => Number(a === b),
  "!=": (a, b) => Number(a !== b),
  "&&": (a, b) => Number(a !== 0 && b !== 0),
  "||": (a, b) => Number(a !== 0 || b !== 0),
};

// Constants are computed; everything else is copied.
function fold(node) {
  if (Array.isArray(node)) return node.map(fold);
  if (node === null || typeof node !== "object") return node;
  const copy = {};
  for (const name of Object.keys(node)) copy[name] = fold(node[name]);
  if (copy.kind === "negative" && copy.value.kind === "number") return { kind: "number", value: -copy.value.value | 0 };
  if (copy.kind === "binary" && copy.left.kind === "number" && copy.right.kind === "number") {
    return { kind: "number", value: APPLY[copy.operator](copy.left.value, copy.right.value) };
  }
  return copy;
}

function print(node, indent = "") {
  switch (node.kind) {
    case "number":
      return node.value < 0 ? `(-${-node.value})` : String(node.value);
    case "name":
      return node.name;
    case "negative":
      return `(-${print(node.value)})`;
    case "binary":
      return `(${print(node.left)} ${node.operator} ${print(node.right)})`;
    case "call":
      return `${print(node.callee)}(${node.values.map((value) => print(value)).join(", ")})`;
    case "block":
      return `{\n${node.body.map((inner) => `${indent}  ${print(inner, indent + "  ")}\n`).join("")}${indent}}`;
    case "let":
      return `let ${node.name} = ${print(node.value)};`;
    case "assign":
      return `${node.name} = ${print(node.value)};`;
    case "do":
      return `${print(node.value)};`;
    case "return":
      return `return ${print(node.value)};`;
    case "while":
      return `while ${print(node.test)} ${print(node.body, indent)}`;
    case "if": {
      const rest = node.otherwise ? ` else ${print(node.otherwise, indent)}` : "";
      return `if ${print(node.test)} ${print(node.then, indent)}${rest}`;
    }
    case "fn":
      return `fn ${node.name}(${node.parameters.join(", ")}) ${print(node.body, indent)}`;
  }
  throw new Error(node.kind);
}

class Scope {
  constructor(parent) {
    this.parent = parent;
    this.values = new Map();
  }
  owner(name) {
    let scope = this;
    while (scope !== null && !scope.values.has(name)) scope = scope.parent;
    if (scope === null) throw new ReferenceError(name);
    return scope;
  }
}

class Returned {
  constructor(value) {
    this.value = value;
  }
}

function evaluate(node, scope) {
  switch (node.kind) {
    case "number":
      return node.value;
    case "name":
      return scope.owner(node.name).values.get(node.name);
    case "negative":
      return -evaluate(node.value, scope) | 0;
    case "binary":
      return APPLY[node.operator](evaluate(node.left, scope), evaluate(node.right, scope));
    case "call": {
      const callee = evaluate(node.callee, scope);
      const inner = new Scope(callee.scope);
      callee.node.parameters.forEach((name, i) => inner.values.set(name, evaluate(node.values[i], scope)));
      const result = evaluate(callee.node.body, inner);
      return result instanceof Returned ? result.value : 0;
    }
    case "block": {
      for (const inner of node.body) {
        const result = evaluate(inner, scope);
        if (result instanceof Returned) return result;
      }
      return 0;
    }
    case "let":
      scope.values.set(node.name, evaluate(node.value, scope));
      return 0;
    case "assign":
      scope.owner(node.name).values.set(node.name, evaluate(node.value, scope));
      return 0;
    case "do":
      return evaluate(node.value, scope) * 0;
    case "return":
      return new Returned(evaluate(node.value, scope));
    case "if":
      if (evaluate(node.test, scope) !== 0) return evaluate(node.then, scope);
      return node.otherwise ? evaluate(node.otherwise, scope) : 0;
    case "while":
      while (evaluate(node.test, scope) !== 0) {
        const result = evaluate(node.body, scope);
        if (result instanceof Returned) return result;
      }
      return 0;
    case "fn":
      scope.values.set(node.name, { node, scope });
      return 0;
  }
  throw new Error(node.kind);
}

function program(n) {
  return `# part ${n}
fn gcd${n}(a, b) { while b != 0 { let t = a % b; a = b; b = t; } return a; }
fn power${n}(base, exponent) {
  if exponent == 0 { return 1; } else if exponent % 2 == 1 { return base * power${n}(base, exponent - 1); }
  let half = power${n}(base, exponent / 2);
  return half * half;
}
let sum${n} = 0;
let i${n} = 2 * 3 - (4 + 1) * 1;
while i${n} <= ${6 + (n % 5)} && sum${n} < 100000 * 10 {
  sum${n} = sum${n} + gcd${n}(i${n} * 12, ${n} + 18) - -power${n}(i${n}, 3) % (7 + ${n});
  i${n} = i${n} + 1;
}
`;
}

function run() {
  let source = "";
  for (let n = 0; n < 12; n++) source += program(n);
  source += "return " + Array.from({ length: 12 }, (_, n) => "sum" + n).join(" + ") + ";";
  const tree = new Parser(source).program();
  const printed = tree.body.map((node) => print(node)).join("\n");
  const again = new Parser(printed).program();
  if (JSON.stringify(again) !== JSON.stringify(tree)) throw new Error("what is printed is read as another program");
  const folded = fold(again);
  const plain = evaluate(tree, new Scope(null)).value;
  if (evaluate(folded, new Scope(null)).value !== plain) throw new Error("folding has changed the program");
  return plain * 100 + printed.length + folded.body.length;
}
