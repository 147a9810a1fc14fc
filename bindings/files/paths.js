/** Paths of files in the guest: absolute, with forward slashes, resolved as text. */

import {
  newList, StringPrototypeIncludes, StringPrototypeIndexOf, StringPrototypeLastIndexOf, StringPrototypeSlice,
} from "../primordials.js";

/** The components of a path, `.` and `..` resolved; what is not absolute starts at the top. @param {string} path */
export function componentsOf(path) {
  const parts = newList();
  for (let at = 0; at <= path.length;) {
    const slash = StringPrototypeIndexOf(path, "/", at);
    const end = slash < 0 ? path.length : slash;
    const part = StringPrototypeSlice(path, at, end);
    if (part === "..") {
      if (parts.length > 0) parts.length--;
    } else if (part !== "" && part !== ".") {
      parts[parts.length] = part;
    }
    at = end + 1;
  }
  return parts;
}

/** @param {string} path */
export function normalize(path) {
  const parts = componentsOf(path);
  let text = "";
  for (let i = 0; i < parts.length; i++) text += "/" + parts[i];
  return text === "" ? "/" : text;
}

/** @param {string} directory @param {string} name */
export const childOf = (directory, name) => (directory === "/" ? "/" : directory + "/") + name;
/** @param {string} path @returns {string} Empty for the top. */
export const nameOf = (path) => StringPrototypeSlice(path, StringPrototypeLastIndexOf(path, "/") + 1);
/** @param {string} path */
export function parentOf(path) {
  const slash = StringPrototypeLastIndexOf(path, "/");
  return slash <= 0 ? "/" : StringPrototypeSlice(path, 0, slash);
}

/** Whether a name can be that of an entry (File System, section 2.1: a valid file name). @param {string} name */
export const isValidName = (name) => (
  name !== "" && name !== "." && name !== ".." && !StringPrototypeIncludes(name, "/")
  && !StringPrototypeIncludes(name, "\\") && !StringPrototypeIncludes(name, "\0")
);
