// Machines: a virtual machine, a state machine, an editor with undo, a difference of texts.

const OP = { PUSH: 0, ADD: 1, SUB: 2, MUL: 3, LOAD: 4, STORE: 5, JUMP: 6, JZ: 7, LESS: 8, CALL: 9, RET: 10, DUP: 11,
  SWAP: 12, OUT: 13, HALT: 14 };

function assemble(text) {
  const labels = {}, code = [];
  const lines = text.split("\n").map((line) => line.replace(/;.*/, "").trim()).filter(Boolean);
  for (const line of lines) {
    if (line.endsWith(":")) { labels[line.slice(0, -1)] = code.length; continue; }
    const [name, argument] = line.split(/\s+/);
    code.push(OP[name.toUpperCase()]);
    if (argument !== undefined) code.push(isNaN(argument) ? argument : Number(argument));
  }
  return code.map((word) => (typeof word === "string" ? labels[word] : word));
}

function execute(code, limit) {
  const stack = [], memory = new Array(8).fill(0), calls = [], out = [];
  let pc = 0, steps = 0;
  for (;;) {
    if (++steps > limit) throw new Error("too many steps");
    switch (code[pc++]) {
      case OP.PUSH: stack.push(code[pc++]); break;
      case OP.ADD: { const b = stack.pop(); stack.push(stack.pop() + b); break; }
      case OP.SUB: { const b = stack.pop(); stack.push(stack.pop() - b); break; }
      case OP.MUL: { const b = stack.pop(); stack.push((stack.pop() * b) % 65521); break; }
      case OP.LOAD: stack.push(memory[code[pc++]]); break;
      case OP.STORE: memory[code[pc++]] = stack.pop(); break;
      case OP.JUMP: pc = code[pc]; break;
      case OP.JZ: pc = stack.pop() ? pc + 1 : code[pc]; break;
      case OP.LESS: { const b = stack.pop(); stack.push(stack.pop() < b ? 1 : 0); break; }
      case OP.CALL: calls.push(pc + 1); pc = code[pc]; break;
      case OP.RET: pc = calls.pop(); break;
      case OP.DUP: stack.push(stack[stack.length - 1]); break;
      case OP.SWAP: {
        const top = stack.length - 1, t = stack[top];
        stack[top] = stack[top - 1];
        stack[top - 1] = t;
        break;
      }
      case OP.OUT: out.push(stack.pop()); break;
      case OP.HALT: return out.join() + ":" + steps;
      default: throw new Error(`bad code at ${pc - 1}`);
    }
  }
}

const PROGRAM = `
  push 1
  store 0           ; product
  push 0
  store 1           ; counter
loop:
  load 1
  push 220
  less
  jz done
  call step
  jump loop
step:
  load 1
  push 1
  add
  dup
  store 1
  load 0
  swap
  mul
  push 3
  add
  store 0
  ret
done:
  load 0
  out
  halt`;

const LIGHTS = {
  idle: { coin: ["ready", (m) => m.coins++], kick: ["broken"] },
  ready: { push: ["idle", (m) => m.passed++], coin: ["ready", (m) => m.coins++],
    kick: ["broken", (m) => (m.coins = 0)] },
  broken: { fix: ["idle"], "*": ["broken", (m) => m.ignored++] },
};
function turnstile(events) {
  const machine = { state: "idle", coins: 0, passed: 0, ignored: 0, history: [] };
  for (const event of events) {
    const rule = LIGHTS[machine.state][event] ?? LIGHTS[machine.state]["*"];
    if (!rule) { machine.ignored++; continue; }
    const [next, action] = rule;
    action?.(machine);
    if (next !== machine.state) machine.history.push(next[0]);
    machine.state = next;
  }
  return machine.history.join("") + machine.coins + machine.passed + machine.ignored;
}

function difference(a, b) {
  const table = Array.from({ length: a.length + 1 }, () => new Array(b.length + 1).fill(0));
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) table[i][j] = a[i] === b[j] ? table[i + 1][j + 1] + 1
      : Math.max(table[i + 1][j], table[i][j + 1]);
  }
  const out = [];
  let i = 0, j = 0;
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) { out.push(" " + a[i++]); j++; }
    else if (j >= b.length || (i < a.length && table[i + 1][j] >= table[i][j + 1])) out.push("-" + a[i++]);
    else out.push("+" + b[j++]);
  }
  return out;
}

// A text that is edited by commands, each of which can be undone.
class Editor {
  #text = "";
  #done = [];
  #undone = [];
  static commands = {
    insert: (editor, at, text) => { editor.splice(at, 0, text); return ["remove", at, text.length]; },
    remove: (editor, at, length) => ["insert", at, editor.splice(at, length, "")],
    swap: (editor, at, other) => {
      const [from, to] = at < other ? [at, other] : [other, at], text = editor.text;
      if (from === to || to >= text.length) return ["insert", 0, ""];
      editor.splice(from, to - from + 1, text[to] + text.slice(from + 1, to) + text[from]);
      return ["swap", from, to];
    },
  };
  get text() { return this.#text; }
  splice(at, length, text) {
    const old = this.#text.substring(at, at + length);
    this.#text = this.#text.slice(0, at) + text + this.#text.slice(at + length);
    return old;
  }
  apply([name, ...rest]) { return Editor.commands[name](this, ...rest); }
  run(command) { this.#done.push(this.apply(command)); this.#undone.length = 0; }
  undo() {
    const command = this.#done.pop();
    if (command) this.#undone.push(this.apply(command));
    return Boolean(command);
  }
  redo() {
    const command = this.#undone.pop();
    if (command) this.#done.push(this.apply(command));
    return Boolean(command);
  }
}
function editing() {
  const editor = new Editor(), seen = [];
  for (let i = 0; i < 120; i++) {
    const length = editor.text.length, at = length ? (i * 31) % length : 0;
    switch (i % 7) {
      case 0: case 1: case 4: editor.run(["insert", at, `<${i}>`]); break;
      case 2: editor.run(["swap", at, (at * 3) % (length || 1)]); break;
      case 3: editor.run(["remove", at, i % 4]); break;
      case 5: if (editor.undo() && i % 2) editor.undo(); break;
      default: editor.redo();
    }
    if (i % 30 === 0) seen.push(editor.text.length);
  }
  seen.push(editor.text);
  while (editor.undo());
  return seen.join() + editor.text.length;
}

const EVENTS = ["coin", "push", "push", "kick", "fix"];

function run() {
  const code = assemble(PROGRAM), results = [];
  for (let round = 0; round < 22; round++) {
    const events = Array.from({ length: 300 }, (_, i) => EVENTS[(i * i + round) % 5]);
    const lines = PROGRAM.split("\n").concat(events.slice(0, 20));
    const changed = lines.filter((_, i) => i % 9).map((line, i) => (i % 7 ? line : line.toUpperCase()));
    const changes = difference(lines, changed);
    results.push(execute(code, 1e5), turnstile(events), editing(), changes.length);
    results.push(changes.filter((line) => line[0] === "+").join(""));
  }
  return results.join("|").split("").reduce((hash, c) => (hash * 31 + c.charCodeAt(0)) | 0, 1);
}
