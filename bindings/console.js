/**
 * The Console Standard. Each call is one entry, sent to the host as data: what kind it is, its text, and how many
 * groups it stands in. Formatting runs no user code, except where the standard converts an argument to a string.
 */

import { now } from "sandbox:native";
import { op } from "sandbox:abi.js";
import { dataProperty } from "./descriptors.js";
import { formatLog, roomCharacters } from "./format.js";
import { inspect } from "./inspect.js";
import { cut } from "./layout.js";
import { send } from "./op.js";
import {
  captureStack, isObject, newList, NumberIsFinite, NumberPrototypeToFixed, ObjectCreate, ObjectDefineProperty,
  ObjectPrototype, SymbolToStringTag,
} from "./primordials.js";
import { DOMString, execute, sequence } from "./webidl.js";
import { formatTable } from "./table.js";

const maxTextBytes = 65536;
const maxLabelBytes = 1024;

let groupDepth = 0;
/** @type {Record<string, number>} */
const counts = ObjectCreate(null);
/** Start of each timer, milliseconds since the time origin. @type {Record<string, number>} */
const startedMs = ObjectCreate(null);

/**
 * Send one entry.
 * @param {string} type
 * @param {string} text
 * @param {object} [fields] Further fields, without a prototype.
 */
function write(type, text, fields = undefined) {
  send(op.console.write, { __proto__: null, type, text: cut(text, maxTextBytes), groupDepth, ...fields });
}

const output = (level, text) => write("output", text, { __proto__: null, level });
const labelOf = (label, method) => DOMString(label, execute(method, "console"));
const shownLabel = (label) => cut(label, maxLabelBytes);

const round = (value) => +NumberPrototypeToFixed(value, 3);
const durationText = (ms) => (ms >= 1000 ? round(ms / 1000) + "s" : round(ms) + "ms");

function openGroup(args, collapsed) {
  const text = formatLog(args);
  write("group", text, { __proto__: null, label: shownLabel(text), collapsed });
  groupDepth++;
}

function timing(type, label, args) {
  const name = labelOf(label, type);
  if (startedMs[name] === undefined) {
    output("warn", "No such label '" + shownLabel(name) + "' for console." + type + "()");
    return;
  }
  const duration_ms = now() - startedMs[name];
  const more = args.length > 0 ? " " + formatLog(args) : "";
  const text = shownLabel(name) + ": " + durationText(duration_ms) + more;
  write(type, text, { __proto__: null, label: shownLabel(name), duration_ms });
  if (type === "timeEnd") delete startedMs[name];
}

const methods = {
  log(...data) { output("log", formatLog(data)); },
  info(...data) { output("info", formatLog(data)); },
  warn(...data) { output("warn", formatLog(data)); },
  error(...data) { output("error", formatLog(data)); },
  debug(...data) { output("debug", formatLog(data)); },
  trace(...data) {
    write("trace", formatLog(data), { __proto__: null, stack: cut(captureStack(), maxTextBytes) });
  },
  dir(item = undefined, options = undefined) {
    const given = isObject(options) ? dataProperty(options, "depth") : undefined;
    const depth = given === null || given === Infinity ? Infinity : NumberIsFinite(given) ? given : 2;
    write("dir", inspect(item, { __proto__: null, depth, room: roomCharacters }));
  },
  dirxml(...data) { output("log", formatLog(data)); },
  table(tabularData = undefined, properties = undefined) {
    const columns = properties === undefined ? undefined : sequence(properties, DOMString, execute("table", "console"));
    const text = formatTable(tabularData, columns);
    if (text === undefined) output("log", formatLog([tabularData]));
    else write("table", text);
  },
  group(...data) { openGroup(data, false); },
  groupCollapsed(...data) { openGroup(data, true); },
  groupEnd() {
    if (groupDepth === 0) return;
    groupDepth--;
    write("groupEnd", "");
  },
  time(label = "default") {
    const name = labelOf(label, "time");
    if (startedMs[name] !== undefined) {
      output("warn", "Label '" + shownLabel(name) + "' already exists for console.time()");
      return;
    }
    startedMs[name] = now();
    write("time", "", { __proto__: null, label: shownLabel(name), duration_ms: 0 });
  },
  timeLog(label = "default", ...data) { timing("timeLog", label, data); },
  timeEnd(label = "default") { timing("timeEnd", label, newList()); },
  count(label = "default") {
    const name = labelOf(label, "count");
    const count = (counts[name] ?? 0) + 1;
    counts[name] = count;
    write("count", shownLabel(name) + ": " + count, { __proto__: null, label: shownLabel(name), count });
  },
  countReset(label = "default") {
    const name = labelOf(label, "countReset");
    if (counts[name] === undefined) {
      output("warn", "Count for '" + shownLabel(name) + "' does not exist");
      return;
    }
    delete counts[name];
    write("countReset", "", { __proto__: null, label: shownLabel(name) });
  },
  assert(condition = false, ...data) {
    if (condition) return;
    const start = typeof data[0] === "string" ? "Assertion failed: " + data[0] : "Assertion failed";
    if (typeof data[0] === "string") data[0] = start;
    if (data.length === 0) write("assert", start);
    else write("assert", typeof data[0] === "string" ? formatLog(data) : start + " " + formatLog(data));
  },
  clear() {
    groupDepth = 0;
    write("clear", "");
  },
};

/** The namespace object; between it and Object.prototype stands an empty object, as the standard asks for. */
export const console = ObjectCreate(ObjectCreate(ObjectPrototype));
for (const name of Object.keys(methods)) {
  ObjectDefineProperty(console, name, { value: methods[name], writable: true, enumerable: true, configurable: true });
}
ObjectDefineProperty(console, SymbolToStringTag, { value: "console", configurable: true });
