/** How file operations fail, as the File System Standard and as Node.js say it. */

import {
  DOMException, Error, ObjectDefineProperty, TypeError,
} from "../primordials.js";

/** By code: number, text, and the name of the DOMException; "": a TypeError. */
const table = {
  __proto__: null,
  EACCES: [-13, "permission denied", "NotAllowedError"],
  EBADF: [-9, "bad file descriptor", "InvalidStateError"],
  EBUSY: [-16, "resource busy or locked", "NoModificationAllowedError"],
  EDQUOT: [-122, "disk quota exceeded", "QuotaExceededError"],
  EEXIST: [-17, "file already exists", "InvalidModificationError"],
  EFBIG: [-27, "file too large", "QuotaExceededError"],
  EINVAL: [-22, "invalid argument", ""],
  EIO: [-5, "i/o error", "OperationError"],
  EISDIR: [-21, "illegal operation on a directory", "TypeMismatchError"],
  EMFILE: [-24, "too many open files", "QuotaExceededError"],
  ENAMETOOLONG: [-36, "name too long", ""],
  ENOENT: [-2, "no such file or directory", "NotFoundError"],
  ENOSPC: [-28, "no space left on device", "QuotaExceededError"],
  ENOTDIR: [-20, "not a directory", "TypeMismatchError"],
  ENOTEMPTY: [-39, "directory not empty", "InvalidModificationError"],
  ENOTSUP: [-95, "operation not supported", "NotSupportedError"],
  EOVERFLOW: [-75, "value too large for defined data type", "QuotaExceededError"],
  EPERM: [-1, "operation not permitted", "NotAllowedError"],
  EROFS: [-30, "read-only file system", "NotAllowedError"],
  ESTALE: [-116, "the file was changed", "NotReadableError"],
  EXDEV: [-18, "cross-device link not permitted", "InvalidModificationError"],
};

/** @param {string | Error} problem @param {string} where Start of the message. */
export function domFailure(problem, where) {
  if (typeof problem !== "string") return problem;
  const known = table[problem] ?? table.EIO;
  const message = where + ": " + known[1] + " (" + problem + ")";
  return known[2] === "" ? new TypeError(message) : new DOMException(message, known[2]);
}

/** The bytes of a file cannot be read. @param {string | Error} problem @param {string} name */
export function readFailure(problem, name) {
  if (typeof problem !== "string") return problem;
  const missing = problem === "ENOENT";
  const text = "The file '" + name + "' " + (missing ? "is gone" : "cannot be read as it was") + " (" + problem + ")";
  return new DOMException(text, missing ? "NotFoundError" : "NotReadableError");
}

/**
 * @param {string | Error} problem
 * @param {string} syscall
 * @param {string} path
 * @param {string} [dest]
 */
export function nodeFailure(problem, syscall, path, dest = undefined) {
  if (typeof problem !== "string") return problem;
  const known = table[problem] ?? table.EIO;
  const to = dest === undefined ? "" : " -> '" + dest + "'";
  const error = new Error(problem + ": " + known[1] + ", " + syscall + " '" + path + "'" + to);
  const own = { __proto__: null, errno: known[0], code: problem, syscall, path, dest };
  for (let i = 0; i < names.length; i++) {
    const value = own[names[i]];
    if (value === undefined) continue;
    ObjectDefineProperty(error, names[i], {
      __proto__: null, value, writable: true, enumerable: true, configurable: true,
    });
  }
  return error;
}
const names = ["errno", "code", "syscall", "path", "dest"];
