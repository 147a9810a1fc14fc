/** ArrayBufferView arguments: what Web IDL refuses, and the parts of a view. */

import { classOf } from "sandbox:native";
import {
  ArrayBufferPrototypeGetResizable, DataViewPrototypeGetBuffer, DataViewPrototypeGetByteLength,
  DataViewPrototypeGetByteOffset, isObject, TypedArrayPrototypeGetBuffer, TypedArrayPrototypeGetByteLength,
  TypedArrayPrototypeGetByteOffset, typedArrays, TypeError,
} from "../primordials.js";

/** @typedef {{ kind: string, buffer: ArrayBuffer, offset: number, byteLength: number }} ViewParts */

/**
 * The parts of an ArrayBufferView.
 * @param {unknown} value
 * @param {string} where
 * @returns {ViewParts}
 * @throws {TypeError} It is none, or its buffer is shared or resizable.
 */
export function viewParts(value, where) {
  const kind = isObject(value) ? classOf(value) : "";
  const isDataView = kind === "DataView";
  if (!isDataView && typedArrays[kind] === undefined) {
    throw new TypeError(where + ": parameter 1 is not of type 'ArrayBufferView'.");
  }
  const buffer = isDataView ? DataViewPrototypeGetBuffer(value) : TypedArrayPrototypeGetBuffer(value);
  if (classOf(buffer) !== "ArrayBuffer") throw new TypeError(where + ": parameter 1 is a view of a shared buffer.");
  if (ArrayBufferPrototypeGetResizable(buffer)) {
    throw new TypeError(where + ": parameter 1 is a view of a resizable buffer.");
  }
  return isDataView ? dataViewParts(value, buffer) : {
    __proto__: null, kind, buffer, offset: TypedArrayPrototypeGetByteOffset(value),
    byteLength: TypedArrayPrototypeGetByteLength(value),
  };
}

function dataViewParts(value, buffer) {
  let offset = 0;
  let byteLength = 0;
  try {
    offset = DataViewPrototypeGetByteOffset(value);
    byteLength = DataViewPrototypeGetByteLength(value);
  } catch {
    // Its buffer is detached; other views say 0 then.
  }
  return { __proto__: null, kind: "DataView", buffer, offset, byteLength };
}
