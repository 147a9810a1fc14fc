/** `each`: rows of a table, in an array or in a template, and the titles that they make. */

import { inspect } from "../inspect.js";
import {
  ArrayIsArray, isObject, JSONStringify, newList, Number, ObjectHasOwn, parseFloat, parseInt, RegExpPrototypeExec,
  String, StringPrototypeIndexOf, StringPrototypeSlice, StringPrototypeTrim, TypeError,
} from "../primordials.js";

/** @typedef {{ args: any[], named: object | null }} Row `named`: what `$name` in a title stands for. */

const append = (list, item) => { list[list.length] = item; };
const variable = /^\$(#|[A-Za-z_][\w$]*(?:\.[\w$]+)*)/;
const maxRows = 10_000;

/**
 * Rows of a template, of one array, or given one by one.
 * @param {any} table @param {any[]} values What came after it. @returns {Row[]}
 */
export function rowsOf(table, values, where) {
  if (values.length > 0 && !(isObject(table) && ObjectHasOwn(table, "raw"))) {
    const given = newList();
    append(given, table);
    for (let i = 0; i < values.length; i++) append(given, values[i]);
    return counted(arrayRows(given), where);
  }
  if (!ArrayIsArray(table)) throw new TypeError(where + ".each needs an array, or a table in a template");
  return counted(ObjectHasOwn(table, "raw") ? templateRows(table, values, where) : arrayRows(table), where);
}

function counted(rows, where) {
  if (rows.length === 0) throw new TypeError(where + ".each: the table has no rows");
  if (rows.length > maxRows) throw new TypeError(where + ".each: the table has more than " + maxRows + " rows");
  return rows;
}

function arrayRows(table) {
  const rows = newList();
  for (let i = 0; i < table.length && i <= maxRows; i++) {
    const row = table[i];
    const args = newList();
    if (ArrayIsArray(row)) {
      for (let j = 0; j < row.length; j++) append(args, row[j]);
    } else {
      append(args, row);
    }
    append(rows, { __proto__: null, args, named: isObject(row) && !ArrayIsArray(row) ? row : null });
  }
  return rows;
}

function templateRows(strings, values, where) {
  const names = newList();
  const heading = strings[0];
  for (let start = 0; start <= heading.length;) {
    const at = StringPrototypeIndexOf(heading, "|", start);
    const end = at < 0 ? heading.length : at;
    append(names, StringPrototypeTrim(StringPrototypeSlice(heading, start, end)));
    start = end + 1;
  }
  if (names.length === 0 || values.length % names.length !== 0) {
    throw new TypeError(where + ".each: each row of the table needs " + names.length + " values");
  }
  const rows = newList();
  for (let start = 0; start < values.length; start += names.length) {
    const named = {};
    for (let i = 0; i < names.length; i++) named[names[i]] = values[start + i];
    const args = newList();
    append(args, named);
    append(rows, { __proto__: null, args, named });
  }
  return rows;
}

/**
 * A title with what it says of its row: `%s %d %i %f %j %o %p %#  %$ %%`, and `$name.path` and `$#`.
 * @param {string} title @param {Row} row @param {number} index
 */
export function titleOf(title, row, index) {
  let text = "";
  let used = 0;
  for (let i = 0; i < title.length; i++) {
    const next = i + 1 < title.length ? title[i + 1] : "";
    if (title[i] === "%" && next !== "") {
      const shown = placeholder(next, row, used, index);
      if (shown !== undefined) {
        text += shown;
        if (next !== "%" && next !== "#" && next !== "$") used++;
        i++;
        continue;
      }
    } else if (title[i] === "$") {
      const match = RegExpPrototypeExec(variable, StringPrototypeSlice(title, i));
      if (match !== null && (match[1] === "#" || row.named !== null)) {
        const shown = match[1] === "#" ? "" + index : atPath(row.named, match[1]);
        if (shown !== undefined) {
          text += shown;
          i += match[0].length - 1;
          continue;
        }
      }
    }
    text += title[i];
  }
  return text;
}

function placeholder(letter, row, used, index) {
  if (letter === "%") return "%";
  if (letter === "#") return "" + index;
  if (letter === "$") return "" + (index + 1);
  if (used >= row.args.length) return undefined;
  const value = row.args[used];
  const isBig = typeof value === "bigint";
  switch (letter) {
    case "s": return typeof value === "string" ? value : isObject(value) || isBig ? inspect(value, { __proto__: null, depth: 1, room: 200 }) : String(value);
    case "d": return isBig ? value + "n" : typeof value === "symbol" ? "NaN" : "" + Number(value);
    case "i": return isBig ? value + "n" : typeof value === "symbol" ? "NaN" : "" + parseInt(value);
    case "f": return typeof value === "symbol" ? "NaN" : "" + parseFloat(value);
    case "j":
      try {
        return "" + JSONStringify(value);
      } catch {
        return "[Circular]";
      }
    case "o": case "O": case "p": return inspect(value, { __proto__: null, depth: 4, room: 1000 });
    default: return undefined;
  }
}

function atPath(named, path) {
  let value = named;
  for (let start = 0; start < path.length;) {
    const at = StringPrototypeIndexOf(path, ".", start);
    const end = at < 0 ? path.length : at;
    const key = StringPrototypeSlice(path, start, end);
    if (!isObject(value) || !(key in value)) return start === 0 ? undefined : "undefined";
    value = value[key];
    start = end + 1;
  }
  return typeof value === "string" ? value : inspect(value, { __proto__: null, depth: 1, room: 200 });
}
