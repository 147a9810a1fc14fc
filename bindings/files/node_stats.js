/** What `stat` and `readdir` of node:fs/promises give. */

import { entry } from "../files.js";
import { Date } from "../primordials.js";

// Fields are defined and not assigned, so they meet no setter of the program's.
export class Stats {
  #isDirectory;
  size = 0;
  atimeMs = 0;
  mtimeMs = 0;
  ctimeMs = 0;
  birthtimeMs = 0;
  atime = undefined;
  mtime = undefined;
  ctime = undefined;
  birthtime = undefined;

  /** @param {any[]} found What the host says; see `entry`. */
  constructor(found) {
    const modified = found[entry.modified];
    this.#isDirectory = found[entry.isDirectory];
    this.size = found[entry.size];
    this.atimeMs = this.mtimeMs = this.ctimeMs = this.birthtimeMs = modified;
    this.atime = new Date(modified);
    this.mtime = new Date(modified);
    this.ctime = new Date(modified);
    this.birthtime = new Date(modified);
  }
  isDirectory() { return this.#isDirectory; }
  isFile() { return !this.#isDirectory; }
  isSymbolicLink() { return false; }
  isBlockDevice() { return false; }
  isCharacterDevice() { return false; }
  isFIFO() { return false; }
  isSocket() { return false; }
}

export class Dirent {
  #isDirectory;
  name = "";
  parentPath = "";

  /** @param {string} name @param {string} parentPath @param {boolean} isDirectory */
  constructor(name, parentPath, isDirectory) {
    this.name = name;
    this.parentPath = parentPath;
    this.#isDirectory = isDirectory;
  }
  isDirectory() { return this.#isDirectory; }
  isFile() { return !this.#isDirectory; }
  isSymbolicLink() { return false; }
  isBlockDevice() { return false; }
  isCharacterDevice() { return false; }
  isFIFO() { return false; }
  isSocket() { return false; }
}
