/** console.table: rows and columns of an object's data properties, drawn as a table. */

import { classOf, collectionEntries } from "sandbox:native";
import { inspect } from "./inspect.js";
import { drawTable } from "./layout.js";
import {
  ArrayIsArray, isObject, Map, MapPrototypeGet, MapPrototypeSet, MathMin, newList, ObjectGetOwnPropertyDescriptor,
  ObjectHasOwn, ReflectOwnKeys, StringPrototypeIncludes,
} from "./primordials.js";

const maxRows = 1000;
const maxColumns = 50;

/** Enumerable own string keys, as many as a table shows; none of a Proxy. */
function keysOf(object, most) {
  const keys = newList();
  if (classOf(object) === "Proxy") return keys;
  if (ArrayIsArray(object)) {
    const length = MathMin(ObjectGetOwnPropertyDescriptor(object, "length").value, most);
    for (let i = 0; i < length; i++) if (ObjectHasOwn(object, i)) keys[keys.length] = "" + i;
    return keys;
  }
  const all = ReflectOwnKeys(object);
  for (let i = 0; i < all.length && keys.length < most; i++) {
    const key = all[i];
    if (typeof key === "string" && ObjectGetOwnPropertyDescriptor(object, key)?.enumerable) keys[keys.length] = key;
  }
  return keys;
}

function cellOf(object, key) {
  const descriptor = ObjectGetOwnPropertyDescriptor(object, key);
  if (descriptor === undefined) return "";
  return ObjectHasOwn(descriptor, "value") ? formatCell(descriptor.value) : "[Getter]";
}

function formatCell(value) {
  const isLarge = isObject(value) && !ArrayIsArray(value) && keysOf(value, 3).length > 2;
  const text = inspect(value, { __proto__: null, depth: isLarge ? -1 : 0, room: 1000 });
  return StringPrototypeIncludes(text, "\n") ? inspect(value, { __proto__: null, depth: -1, room: 1000 }) : text;
}

/** A Map or a Set: one row an entry. */
function collectionTable(collection, isMap) {
  const entries = collectionEntries(collection);
  const step = isMap ? 2 : 1;
  const rows = newList();
  for (let i = 0; i * step < entries.length && i < maxRows; i++) {
    const first = formatCell(entries[i * step]);
    rows[i] = isMap ? ["" + i, first, formatCell(entries[i * step + 1])] : ["" + i, first];
  }
  return drawTable(isMap ? ["(iteration index)", "Key", "Values"] : ["(iteration index)", "Values"], rows);
}

/**
 * @param {unknown} data
 * @param {string[] | undefined} chosen Columns to show; all of them when undefined.
 * @returns {string | undefined} Undefined when the data is not tabular.
 */
export function formatTable(data, chosen) {
  if (!isObject(data)) return undefined;
  const kind = classOf(data);
  if (kind === "Map" || kind === "Set") return collectionTable(data, kind === "Map");
  const indices = keysOf(data, maxRows);
  const head = newList();
  head[0] = "(index)";
  const columns = new Map();
  const addColumn = (key) => {
    const known = MapPrototypeGet(columns, key);
    if (known !== undefined || head.length > maxColumns) return known;
    MapPrototypeSet(columns, key, head.length);
    head[head.length] = key;
    return head.length - 1;
  };
  if (chosen !== undefined) for (let i = 0; i < chosen.length; i++) addColumn(chosen[i]);
  const rows = newList();
  const plainValues = newList();
  for (let i = 0; i < indices.length; i++) {
    const row = newList();
    row[0] = indices[i];
    rows[i] = row;
    const descriptor = ObjectGetOwnPropertyDescriptor(data, indices[i]);
    const item = ObjectHasOwn(descriptor, "value") ? descriptor.value : undefined;
    if (!isObject(item)) {
      plainValues[i] = cellOf(data, indices[i]);
      continue;
    }
    const keys = chosen ?? keysOf(item, maxColumns);
    for (let k = 0; k < keys.length; k++) {
      const column = addColumn(keys[k]);
      if (column !== undefined) row[column] = classOf(item) === "Proxy" ? "" : cellOf(item, keys[k]);
    }
  }
  const width = head.length + (plainValues.length > 0 ? 1 : 0);
  if (plainValues.length > 0) head[width - 1] = "Values";
  for (let i = 0; i < rows.length; i++) {
    if (plainValues[i] !== undefined) rows[i][width - 1] = plainValues[i];
    for (let column = 0; column < width; column++) rows[i][column] ??= "";
  }
  return drawTable(head, rows);
}
