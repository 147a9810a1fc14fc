/** Laying text out: quoting strings, breaking lines, columns and tables, and the width that all of these go by. */

import {
  ArrayPrototypeJoin, MathFloor, MathMax, MathMin, MathRound, MathSqrt, newList, NumberPrototypeToString,
  RegExpPrototypeExec, StringPrototypeCharCodeAt, StringPrototypeIncludes, StringPrototypeIndexOf,
  StringPrototypeRepeat, StringPrototypeSlice,
} from "./primordials.js";

const lineLength = 80;
const maxString = 10_000;
const mostColumns = 12;
const mostNested = 3;

const needsEscape = /[\x00-\x1f'\\\x7f-\x9f\ud800-\udfff]/;
/** East Asian wide characters and the leading halves of emoji, by and large. */
const wide = /[\u1100-\u115f\u2e80-\u303e\u3041-\ua4cf\uac00-\ud7a3\uf900-\ufaff\ufe30-\uff60\ud83c-\ud83e]/;
const ascii = /^[\x20-\x7e]*$/;
const escapes = { __proto__: null, 8: "\\b", 9: "\\t", 10: "\\n", 12: "\\f", 13: "\\r", 92: "\\\\" };
const hexDigits = "0123456789ABCDEF";

/** Columns a text takes: wide characters count two; combining ones are not looked for. @param {string} text */
export function widthOf(text) {
  if (RegExpPrototypeExec(ascii, text) !== null) return text.length;
  let width = 0;
  for (let i = 0; i < text.length; i++) {
    const unit = StringPrototypeCharCodeAt(text, i);
    if (unit < 0xdc00 || unit > 0xdfff) width += unit > 0xff && RegExpPrototypeExec(wide, text[i]) !== null ? 2 : 1;
  }
  return width;
}

/** Put a string in quotes, single ones if that needs no escape. @param {string} text */
function quoteLine(text) {
  if (RegExpPrototypeExec(needsEscape, text) === null) return "'" + text + "'";
  let mark = 39;
  if (StringPrototypeIncludes(text, "'")) {
    if (!StringPrototypeIncludes(text, '"')) mark = 34;
    else if (!StringPrototypeIncludes(text, "`") && !StringPrototypeIncludes(text, "${")) mark = 96;
  }
  const delimiter = mark === 39 ? "'" : mark === 34 ? '"' : "`";
  let result = delimiter;
  let plainFrom = 0;
  for (let i = 0; i < text.length; i++) {
    const unit = StringPrototypeCharCodeAt(text, i);
    let escape;
    if (unit >= 0xd800 && unit <= 0xdfff) {
      const next = unit < 0xdc00 && i + 1 < text.length ? StringPrototypeCharCodeAt(text, i + 1) : 0;
      if (next >= 0xdc00 && next <= 0xdfff) {
        i++;
        continue;
      }
      escape = "\\u" + NumberPrototypeToString(unit, 16);
    } else if (unit === mark && mark === 39) {
      escape = "\\'";
    } else if (unit < 0x20 || unit === 92 || (unit >= 0x7f && unit <= 0x9f)) {
      escape = escapes[unit] ?? "\\x" + hexDigits[unit >> 4] + hexDigits[unit & 15];
    } else {
      continue;
    }
    result += StringPrototypeSlice(text, plainFrom, i) + escape;
    plainFrom = i + 1;
  }
  return result + StringPrototypeSlice(text, plainFrom) + delimiter;
}

/**
 * Quote a string; a long one is cut, and one of several lines is broken where its lines end.
 * @param {string} text
 * @param {number} [indent] Columns; without it all stays on one line.
 */
export function quote(text, indent = undefined) {
  const left = text.length - maxString;
  const shown = left > 0 ? StringPrototypeSlice(text, 0, maxString) : text;
  const mark = left > 0 ? "... " + left + " more character" + (left === 1 ? "" : "s") : "";
  const fits = indent === undefined || shown.length <= 16 || shown.length <= lineLength - indent - 4;
  if (fits) return quoteLine(shown) + mark;
  const margin = StringPrototypeRepeat(" ", indent + 2);
  let result = "";
  for (let start = 0; start < shown.length;) {
    const at = StringPrototypeIndexOf(shown, "\n", start);
    const end = at < 0 ? shown.length : at + 1;
    result += (start === 0 ? "" : " +\n" + margin) + quoteLine(StringPrototypeSlice(shown, start, end));
    start = end;
  }
  return result + mark;
}

/**
 * Put the parts of an object on one line if they are few, short and shallow, else on lines of their own.
 * @param {string[]} given
 * @param {{ base: string, open: string, close: string, indent: number, grouping: boolean, numeric: boolean,
 *   trailing: number, nested: number }} shape `nested`: levels below this object; `trailing`: parts at the end that
 *   stand outside the columns.
 */
export function breakLines(given, { base, open, close, indent, grouping, numeric, trailing, nested }) {
  const parts = grouping ? columns(given, indent, numeric, trailing) : given;
  const start = base === "" ? "" : base + " ";
  if (parts.length === 0) return start + open + close;
  if (nested < mostNested && parts === given) {
    let length = 2 * parts.length + indent + open.length + base.length + 10;
    for (let i = 0; i < parts.length && length <= lineLength; i++) length += parts[i].length;
    if (length <= lineLength && !StringPrototypeIncludes(base, "\n")) {
      const joined = ArrayPrototypeJoin(parts, ", ");
      if (!StringPrototypeIncludes(joined, "\n")) return start + open + " " + joined + " " + close;
    }
  }
  const margin = "\n" + StringPrototypeRepeat(" ", indent);
  return start + open + margin + "  " + ArrayPrototypeJoin(parts, "," + margin + "  ") + margin + close;
}

/** Set many short parts in columns; gives the same list back when columns do not pay. */
function columns(parts, indent, numeric, trailing) {
  const count = parts.length - trailing;
  const widths = newList();
  let total = 0;
  let widest = 0;
  for (let i = 0; i < count; i++) {
    widths[i] = widthOf(parts[i]);
    total += widths[i] + 2;
    widest = MathMax(widest, widths[i]);
  }
  const cell = widest + 2;
  if (cell * 3 + indent >= lineLength || (total / cell <= 5 && widest > 6)) return parts;
  // A character is about 2.5 times as high as wide, and the whole should come out about square.
  const typical = MathMax(cell - 3 - MathSqrt(cell - total / parts.length), 1);
  const square = MathRound(MathSqrt(2.5 * typical * count) / typical);
  const across = MathMin(square, MathFloor((lineLength - indent) / cell), mostColumns);
  if (across <= 1) return parts;
  const columnWidths = newList();
  for (let column = 0; column < across; column++) {
    let most = 0;
    for (let i = column; i < count; i += across) most = MathMax(most, widths[i]);
    columnWidths[column] = most;
  }
  const rows = newList();
  for (let from = 0; from < count; from += across) {
    const end = MathMin(from + across, count);
    let row = "";
    for (let i = from; i < end; i++) {
      const padding = StringPrototypeRepeat(" ", columnWidths[i - from] - widths[i]);
      const comma = i === end - 1 ? "" : ", ";
      if (numeric) row += padding + parts[i] + comma;
      else row += parts[i] + comma + (comma === "" ? "" : padding);
    }
    rows[rows.length] = row;
  }
  for (let i = count; i < parts.length; i++) rows[rows.length] = parts[i];
  return rows;
}

/**
 * A table in box drawing characters.
 * @param {string[]} head
 * @param {string[][]} rows Each as long as the head.
 */
export function drawTable(head, rows) {
  const widths = newList();
  for (let column = 0; column < head.length; column++) {
    widths[column] = widthOf(head[column]) + 2;
    for (let i = 0; i < rows.length; i++) widths[column] = MathMax(widths[column], widthOf(rows[i][column]) + 2);
  }
  const rule = (left, middle, right) => {
    let line = left;
    for (let column = 0; column < widths.length; column++) {
      line += (column === 0 ? "" : middle) + StringPrototypeRepeat("─", widths[column]);
    }
    return line + right;
  };
  const cells = (row) => {
    let line = "│";
    for (let column = 0; column < widths.length; column++) {
      line += " " + row[column] + StringPrototypeRepeat(" ", widths[column] - widthOf(row[column]) - 1) + "│";
    }
    return line;
  };
  let text = rule("┌", "┬", "┐") + "\n" + cells(head) + "\n" + rule("├", "┼", "┤") + "\n";
  for (let i = 0; i < rows.length; i++) text += cells(rows[i]) + "\n";
  return text + rule("└", "┴", "┘");
}

/**
 * Cut a text so that its UTF-8 form keeps within a cap, and say how much was left out.
 * @param {string} text
 * @param {number} maxBytes At least 64.
 */
export function cut(text, maxBytes) {
  if (text.length * 3 <= maxBytes) return text;
  const room = maxBytes - 64;
  let bytes = 0;
  let kept = -1;
  for (let i = 0; i < text.length; i++) {
    const unit = StringPrototypeCharCodeAt(text, i);
    const size = unit < 0x80 ? 1 : unit < 0x800 ? 2 : 3;
    if (kept < 0 && bytes + size > room) kept = unit >= 0xdc00 && unit <= 0xdfff ? i - 1 : i;
    bytes += size;
    if (bytes > maxBytes) {
      return StringPrototypeSlice(text, 0, kept) + "... " + (text.length - kept) + " more characters (cut)";
    }
  }
  return text;
}
