/** The basics of node:fs/promises, and node:fs with no more than `promises` and `constants`. */

import { utf8Encode } from "sandbox:native";
import * as files from "../files.js";
import { blobData, isBlob, isBufferSource } from "../blob.js";
import { joinData } from "../blob_data.js";
import { defineModule } from "../builtin_modules.js";
import { bytesOf, TextDecoder } from "../encoding.js";
import {
  decodeURIComponent, isObject, newList, ObjectDefineProperty, Promise, ReflectApply, StringPrototypeToLowerCase,
  toArray, TypedArrayPrototypeGetByteLength, TypedArrayPrototypeSet, TypeError, Uint8Array,
} from "../primordials.js";
import { part, partsOf, urlTraits } from "../url.js";
import { nodeFailure } from "./failures.js";
import { Dirent, Stats } from "./node_stats.js";
import { childOf, normalize } from "./paths.js";

const { decode } = TextDecoder.prototype;
const everything = 2 ** 53 - 1;
const encodings = {
  __proto__: null, "utf8": "utf-8", "utf-8": "utf-8", "ascii": "latin1", "latin1": "latin1", "binary": "latin1",
  "utf16le": "utf-16le", "utf-16le": "utf-16le", "ucs2": "utf-16le", "ucs-2": "utf-16le",
};

function invalid(code, text) {
  const error = new TypeError(text);
  ObjectDefineProperty(error, "code", {
    __proto__: null, value: code, writable: true, enumerable: true, configurable: true,
  });
  return error;
}

/** A path or a file: URL, as an absolute path. */
function pathOf(value, name = "path") {
  if (isObject(value) && urlTraits.brand(value)) {
    const parts = partsOf(value);
    if (parts[part.protocol] !== "file:") throw invalid("ERR_INVALID_URL_SCHEME", "The URL must be of scheme file");
    return normalize(decodeURIComponent(parts[part.pathname]));
  }
  if (typeof value !== "string") {
    throw invalid("ERR_INVALID_ARG_TYPE", "The \"" + name + "\" argument must be a string or a URL");
  }
  return normalize(value);
}

/** A member of options; a text in place of options is an encoding. */
function option(options, key, fallback) {
  if (options === undefined || options === null) return fallback;
  if (typeof options === "string") return key === "encoding" ? options : fallback;
  if (!isObject(options)) {
    throw invalid("ERR_INVALID_ARG_TYPE", "The \"options\" argument must be an object or a string");
  }
  const value = options[key];
  return value === undefined ? fallback : value;
}

function encodingOf(options) {
  const given = option(options, "encoding", null);
  if (given === null || given === "buffer") return null;
  const known = typeof given === "string" ? encodings[StringPrototypeToLowerCase(given)] : undefined;
  if (known === undefined) {
    throw invalid("ERR_INVALID_ARG_VALUE", "The encoding is not one of utf8, latin1 and utf16le");
  }
  return known;
}

function contentOf(data, options) {
  if (typeof data === "string") {
    const encoding = encodingOf(options);
    if (encoding !== null && encoding !== "utf-8") {
      throw invalid("ERR_INVALID_ARG_VALUE", "Text is written in utf8");
    }
    return utf8Encode(data);
  }
  if (isObject(data) && isBlob(data)) return joinData(blobData(data));
  if (!isObject(data) || !isBufferSource(data)) {
    throw invalid("ERR_INVALID_ARG_TYPE", "The \"data\" argument must be a string, a buffer or a view of one");
  }
  const given = bytesOf(data, "data");
  const copy = new Uint8Array(TypedArrayPrototypeGetByteLength(given));
  TypedArrayPrototypeSet(copy, given);
  return copy;
}

/** The promise of what `body` gives; it gets how to end, and throws what is wrong with arguments. */
const promised = (body) => new Promise(body);

function write(path, data, options, flag, syscall) {
  return promised((resolve, reject) => {
    const at = pathOf(path);
    const given = option(options, "flag", flag);
    const manner = manners[given];
    if (manner === undefined) throw invalid("ERR_INVALID_ARG_VALUE", "The flag is none of w, wx and a");
    files.store(at, contentOf(data, options), manner, () => resolve(undefined), (problem) => {
      reject(nodeFailure(problem, syscall, at));
    });
  });
}
const manners = { __proto__: null, w: "write", wx: "create", a: "append" };

const constants = Object.freeze({ F_OK: 0, R_OK: 4, W_OK: 2, X_OK: 1, COPYFILE_EXCL: 1 });

/**
 * Read directories one after the other.
 * @param {string} top
 * @param {boolean} isRecursive
 * @param {(directory: string, relative: string, name: string, isDirectory: boolean) => void} found
 * @param {() => void} done
 * @param {files.Failed} failed
 */
function walk(top, isRecursive, found, done, failed) {
  const left = newList();
  left[0] = ["", top];
  let at = 0;
  const next = () => {
    if (at === left.length) {
      done();
      return;
    }
    const { 0: prefix, 1: path } = left[at++];
    files.list(path, (listed) => {
      for (let i = 0; i < listed.length; i += 2) {
        found(path, prefix + listed[i], listed[i], listed[i + 1]);
        if (isRecursive && listed[i + 1]) {
          left[left.length] = [prefix + listed[i] + "/", childOf(path, listed[i])];
        }
      }
      next();
    }, failed);
  };
  next();
}

const members = {
  readFile(path, options = undefined) {
    return promised((resolve, reject) => {
      const at = pathOf(path);
      const encoding = encodingOf(options);
      files.read(at, 0, everything, null, (bytes) => {
        if (encoding === null) resolve(bytes);
        else resolve(ReflectApply(decode, new TextDecoder(encoding, { __proto__: null, ignoreBOM: true }), [bytes]));
      }, (problem) => reject(nodeFailure(problem, problem === "EISDIR" ? "read" : "open", at)));
    });
  },
  writeFile(path, data, options = undefined) { return write(path, data, options, "w", "open"); },
  appendFile(path, data, options = undefined) { return write(path, data, options, "a", "open"); },
  readdir(path, options = undefined) {
    return promised((resolve, reject) => {
      const at = pathOf(path);
      const withTypes = !!option(options, "withFileTypes", false);
      const isRecursive = !!option(options, "recursive", false);
      const names = newList();
      walk(at, isRecursive, (directory, relative, name, isDirectory) => {
        names[names.length] = withTypes ? new Dirent(name, directory, isDirectory) : relative;
      }, () => resolve(toArray(names)), (problem) => reject(nodeFailure(problem, "scandir", at)));
    });
  },
  stat(path) { return describe(path, "stat"); },
  lstat(path) { return describe(path, "lstat"); },
  access(path, mode = undefined) {
    return promised((resolve, reject) => {
      const at = pathOf(path);
      if (mode !== undefined && typeof mode !== "number") {
        throw invalid("ERR_INVALID_ARG_TYPE", "The \"mode\" argument must be a number");
      }
      files.stat(at, () => resolve(undefined), (problem) => reject(nodeFailure(problem, "access", at)));
    });
  },
  mkdir(path, options = undefined) {
    return promised((resolve, reject) => {
      const at = pathOf(path);
      files.make(at, !!option(options, "recursive", false), (made) => resolve(made === null ? undefined : made[0]),
        (problem) => reject(nodeFailure(problem, "mkdir", at)));
    });
  },
  rm(path, options = undefined) {
    return promised((resolve, reject) => {
      const at = pathOf(path);
      const isForced = !!option(options, "force", false);
      const isRecursive = !!option(options, "recursive", false);
      const failed = (problem) => {
        if (isForced && problem === "ENOENT") resolve(undefined);
        else reject(nodeFailure(problem, "rm", at));
      };
      const remove = () => files.remove(at, isRecursive, () => resolve(undefined), failed);
      if (isRecursive) remove();
      else files.stat(at, (found) => (found[files.entry.isDirectory] ? failed("EISDIR") : remove()), failed);
    });
  },
  rmdir(path) { return removeOne(path, "rmdir", true); },
  unlink(path) { return removeOne(path, "unlink", false); },
  rename(oldPath, newPath) {
    return promised((resolve, reject) => {
      const from = pathOf(oldPath, "oldPath");
      const to = pathOf(newPath, "newPath");
      files.rename(from, to, true, () => resolve(undefined), (problem) => {
        reject(nodeFailure(problem, "rename", from, to));
      });
    });
  },
  copyFile(src, dest, mode = undefined) {
    return promised((resolve, reject) => {
      const from = pathOf(src, "src");
      const to = pathOf(dest, "dest");
      files.copy(from, to, mode !== constants.COPYFILE_EXCL, () => resolve(undefined), (problem) => {
        reject(nodeFailure(problem, "copyfile", from, to));
      });
    });
  },
  constants,
};

function describe(path, syscall) {
  return promised((resolve, reject) => {
    const at = pathOf(path);
    files.stat(at, (found) => resolve(new Stats(found)), (problem) => reject(nodeFailure(problem, syscall, at)));
  });
}

function removeOne(path, syscall, isDirectory) {
  return promised((resolve, reject) => {
    const at = pathOf(path);
    const failed = (problem) => reject(nodeFailure(problem, syscall, at));
    files.stat(at, (found) => {
      if (found[files.entry.isDirectory] !== isDirectory) failed(isDirectory ? "ENOTDIR" : "EISDIR");
      else files.remove(at, false, () => resolve(undefined), failed);
    }, failed);
  });
}

defineModule("node:fs/promises", members);
defineModule("node:fs", { promises: members, constants });
