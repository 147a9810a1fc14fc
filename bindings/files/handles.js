/** FileSystemHandle and the handles of files and directories (File System Standard). */

import * as files from "../files.js";
import { makeFile } from "../blob.js";
import { remoteData } from "../blob_data.js";
import {
  isObject, MathTrunc, newList, Promise, toArray, TypedArrayPrototypeGetByteLength, TypeError,
} from "../primordials.js";
import { boolean, dictionary, execute, requireArguments, requireBrand, USVString } from "../webidl.js";
import { contentType } from "./content_types.js";
import { domFailure, readFailure } from "./failures.js";
import { defineAsyncIterable } from "./iteration.js";
import { childOf, componentsOf, isValidName, nameOf, parentOf } from "./paths.js";
import { createWritable } from "./writable.js";

const createOptions = dictionary([{ key: "create", convert: boolean, fallback: false }]);
const writableOptions = dictionary([{ key: "keepExistingData", convert: boolean, fallback: false }]);
const removeOptions = dictionary([{ key: "recursive", convert: boolean, fallback: false }]);

/** Only this module makes objects of these interfaces. */
const token = {};

let isHandle;
let pathOf;
let movedTo;
let isFileHandle;
let isDirectoryHandle;

/** The promise of what an operation gives; `body` gets what to call, or throws. */
const promised = (isOwn, self, operation, owner, body) => new Promise((resolve, reject) => {
  requireBrand(isObject(self) && isOwn(self));
  const where = execute(operation, owner);
  body(where, resolve, (problem) => reject(domFailure(problem, where)));
});

function handle(value, where, isKind, kind) {
  if (!isObject(value) || !isKind(value)) throw new TypeError(where + ": parameter 1 is not of type '" + kind + "'.");
  return value;
}

function validName(value, where) {
  const name = USVString(value, where);
  if (!isValidName(name)) throw new TypeError(where + ": Name is not allowed.");
  return name;
}

export class FileSystemHandle {
  /** Absolute. */
  #path;

  static {
    isHandle = (value) => #path in value;
    pathOf = (value) => value.#path;
    movedTo = (value, path) => { value.#path = path; };
  }
  constructor(key = undefined, path = undefined) {
    if (key !== token) throw new TypeError("Illegal constructor");
    this.#path = path;
  }

  get kind() {
    requireBrand(#path in this);
    return isDirectoryHandle(this) ? "directory" : "file";
  }
  get name() {
    requireBrand(#path in this);
    return nameOf(this.#path);
  }

  isSameEntry(other) {
    return promised(isHandle, this, "isSameEntry", "FileSystemHandle", (where, resolve) => {
      requireArguments(arguments.length, 1, where);
      handle(other, where, isHandle, "FileSystemHandle");
      resolve(this.#path === pathOf(other) && isDirectoryHandle(this) === isDirectoryHandle(other));
    });
  }
  move(parent, name = undefined) {
    return promised(isHandle, this, "move", "FileSystemHandle", (where, resolve, failed) => {
      requireArguments(arguments.length, 1, where);
      const isDirectory = isObject(parent) && isHandle(parent) && isDirectoryHandle(parent);
      const directory = isDirectory ? pathOf(parent) : parentOf(this.#path);
      const given = isDirectory ? name : parent;
      const to = childOf(directory, given === undefined ? nameOf(this.#path) : validName(given, where));
      files.rename(this.#path, to, true, () => {
        movedTo(this, to);
        resolve(undefined);
      }, failed);
    });
  }
  remove(options = undefined) {
    return promised(isHandle, this, "remove", "FileSystemHandle", (where, resolve, failed) => {
      const { recursive } = removeOptions(options, where);
      // The top stays where it is: what is in it goes.
      files.remove(this.#path, recursive || this.#path === "/", () => resolve(undefined), failed);
    });
  }
}

/** What a File reads its bytes from, as long as it is what it was. @returns {import("../blob_data.js").Source} */
function sourceOf(path, version) {
  const name = nameOf(path);
  const isWhole = (bytes, size) => TypedArrayPrototypeGetByteLength(bytes) === size;
  return {
    __proto__: null,
    read(start, size, done, failed) {
      files.read(path, start, size, version, (bytes) => {
        if (isWhole(bytes, size)) done(bytes);
        else failed(readFailure("ESTALE", name));
      }, (problem) => failed(readFailure(problem, name)));
    },
    readNow(start, size) {
      const bytes = files.readNow(path, start, size, version);
      if (typeof bytes === "string") throw readFailure(bytes, name);
      if (!isWhole(bytes, size)) throw readFailure("ESTALE", name);
      return bytes;
    },
  };
}

export class FileSystemFileHandle extends FileSystemHandle {
  #isFile;
  static {
    isFileHandle = (value) => #isFile in value;
  }
  constructor(key = undefined, path = undefined) {
    super(key, path);
    this.#isFile = true;
  }

  getFile() {
    return promised(isFileHandle, this, "getFile", "FileSystemFileHandle", (where, resolve, failed) => {
      const path = pathOf(this);
      files.stat(path, (found) => {
        if (found[files.entry.isDirectory]) {
          failed("EISDIR");
          return;
        }
        const data = remoteData(sourceOf(path, found[files.entry.version]), found[files.entry.size]);
        const name = nameOf(path);
        resolve(makeFile(data, contentType(name), name, MathTrunc(found[files.entry.modified])));
      }, failed);
    });
  }
  createWritable(options = undefined) {
    return promised(isFileHandle, this, "createWritable", "FileSystemFileHandle", (where, resolve, failed) => {
      const { keepExistingData } = writableOptions(options, where);
      files.begin(pathOf(this), keepExistingData, false, (begun) => resolve(createWritable(begun[0])), failed);
    });
  }
}

const owner = "FileSystemDirectoryHandle";

/** A handle of what is in a directory. */
function child(self, operation, count, name, options, isDirectory) {
  return promised(isDirectoryHandle, self, operation, owner, (where, resolve, failed) => {
    requireArguments(count, 1, where);
    const given = USVString(name, where);
    const { create } = createOptions(options, where);
    const path = childOf(pathOf(self), validName(given, where));
    files.open(path, isDirectory, create, () => resolve(makeHandle(path, isDirectory)), failed);
  });
}

export class FileSystemDirectoryHandle extends FileSystemHandle {
  #isDirectory;
  static {
    isDirectoryHandle = (value) => #isDirectory in value;
  }
  constructor(key = undefined, path = undefined) {
    super(key, path);
    this.#isDirectory = true;
  }

  getFileHandle(name, options = undefined) {
    return child(this, "getFileHandle", arguments.length, name, options, false);
  }
  getDirectoryHandle(name, options = undefined) {
    return child(this, "getDirectoryHandle", arguments.length, name, options, true);
  }
  removeEntry(name, options = undefined) {
    return promised(isDirectoryHandle, this, "removeEntry", owner, (where, resolve, failed) => {
      requireArguments(arguments.length, 1, where);
      const given = USVString(name, where);
      const { recursive } = removeOptions(options, where);
      files.remove(childOf(pathOf(this), validName(given, where)), recursive, () => resolve(undefined), failed);
    });
  }
  resolve(possibleDescendant) {
    return promised(isDirectoryHandle, this, "resolve", owner, (where, resolve) => {
      requireArguments(arguments.length, 1, where);
      const inner = componentsOf(pathOf(handle(possibleDescendant, where, isHandle, "FileSystemHandle")));
      const outer = componentsOf(pathOf(this));
      const rest = newList();
      for (let i = 0; i < outer.length; i++) {
        if (inner[i] !== outer[i]) {
          resolve(null);
          return;
        }
      }
      for (let i = outer.length; i < inner.length; i++) rest[rest.length] = inner[i];
      resolve(toArray(rest));
    });
  }
}

/** @param {string} path @param {boolean} isDirectory */
export const makeHandle = (path, isDirectory) => (
  isDirectory ? new FileSystemDirectoryHandle(token, path) : new FileSystemFileHandle(token, path)
);

defineAsyncIterable(FileSystemDirectoryHandle, (self) => {
  requireBrand(isObject(self) && isDirectoryHandle(self));
  const directory = pathOf(self);
  return {
    __proto__: null,
    /** The keys, and by index what makes the values. */
    load(done, failed) {
      files.list(directory, (listed) => {
        const keys = newList();
        for (let i = 0; i < listed.length; i += 2) keys[keys.length] = listed[i];
        done(keys, (index) => makeHandle(childOf(directory, listed[2 * index]), listed[2 * index + 1]));
      }, (problem) => failed(domFailure(problem, "Failed to iterate over '" + owner + "'")));
    },
  };
});

const inspect = (self) => {
  const entries = newList();
  entries[0] = ["kind", isDirectoryHandle(self) ? "directory" : "file"];
  entries[1] = ["name", nameOf(pathOf(self))];
  return { __proto__: null, entries };
};
const clone = (self) => makeHandle(pathOf(self), isDirectoryHandle(self));
export const handleTraits = { brand: isHandle };
export const fileHandleTraits = { brand: isFileHandle, inspect, clone };
export const directoryHandleTraits = { brand: isDirectoryHandle, inspect, clone };
