/**
 * What the host is asked about files. A failure is a code, such as "ENOENT"; or an exception of the host, where a
 * function of the embedder has thrown one.
 *
 * Answers are given to functions and not as promises: a promise would look for `then` where programs can reach.
 */

import { op } from "sandbox:abi.js";
import { viewOf } from "./blob_data.js";
import { call, submit } from "./op.js";
import { newList, TypedArrayPrototypeGetByteLength, TypedArrayPrototypeSet, Uint8Array } from "./primordials.js";

/** @typedef {(problem: string | Error) => void} Failed */
/** @typedef {(answer: any) => void} Done */

/** The most that is asked for, or given, in one message. */
export const messageBytes = 4194304;

function ask(operation, args, done, failed) {
  submit(operation, args, (answer) => {
    if (typeof answer === "string") failed(answer);
    else done(answer);
  }, failed);
}

const files = op.files;

/** @returns {boolean | null} Null: there are no files; or whether the top is storage of the program's own. */
export const granted = () => call(files.granted);

/** Places in what `stat` gives. */
export const entry = { __proto__: null, isDirectory: 0, size: 1, modified: 2, version: 3 };

/** @type {(path: string, done: Done, failed: Failed) => void} Gives an `entry`. */
export const stat = (path, done, failed) => ask(files.stat, [path], done, failed);
/** @type {(path: string, done: Done, failed: Failed) => void} Gives names, and whether each is a directory, in turn. */
export const list = (path, done, failed) => ask(files.list, [path], done, failed);
/** @type {(path: string, isDirectory: boolean, create: boolean, done: Done, failed: Failed) => void} */
export const open = (path, isDirectory, create, done, failed) => (
  ask(files.open, [path, isDirectory, create], done, failed)
);
/** @type {(path: string, recursive: boolean, done: Done, failed: Failed) => void} */
export const make = (path, recursive, done, failed) => ask(files.make, [path, recursive], done, failed);
/** @type {(path: string, recursive: boolean, done: Done, failed: Failed) => void} */
export const remove = (path, recursive, done, failed) => ask(files.remove, [path, recursive], done, failed);
/** @type {(path: string, to: string, replaces: boolean, done: Done, failed: Failed) => void} */
export const rename = (path, to, replaces, done, failed) => ask(files.rename, [path, to, replaces], done, failed);
/** @type {(path: string, to: string, replaces: boolean, done: Done, failed: Failed) => void} */
export const copy = (path, to, replaces, done, failed) => ask(files.copy, [path, to, replaces], done, failed);

// --- reading ---

/**
 * Read a part of a file, or what there is of it.
 * @type {(path: string, start: number, size: number, version: string | null, done: (bytes: Uint8Array) => void,
 *   failed: Failed) => void}
 */
export function read(path, start, size, version, done, failed) {
  const chunks = newList();
  let got = 0;
  const next = () => {
    const wanted = size - got < messageBytes ? size - got : messageBytes;
    ask(files.read, [path, start + got, wanted, version], (bytes) => {
      const length = TypedArrayPrototypeGetByteLength(bytes);
      chunks[chunks.length] = bytes;
      got += length;
      if (length === wanted && got < size) next();
      else done(join(chunks, got));
    }, failed);
  };
  next();
}

/** Likewise, while everything else waits. @returns {Uint8Array | string} A text: the code of a failure. */
export function readNow(path, start, size, version) {
  const chunks = newList();
  let got = 0;
  while (got < size) {
    const wanted = size - got < messageBytes ? size - got : messageBytes;
    const bytes = call(files.readNow, path, start + got, wanted, version);
    if (typeof bytes === "string") return bytes;
    chunks[chunks.length] = bytes;
    got += TypedArrayPrototypeGetByteLength(bytes);
    if (TypedArrayPrototypeGetByteLength(bytes) < wanted) break;
  }
  return join(chunks, got);
}

function join(chunks, size) {
  if (chunks.length === 1) return chunks[0];
  const whole = new Uint8Array(size);
  for (let i = 0, at = 0; i < chunks.length; i++) {
    TypedArrayPrototypeSet(whole, chunks[i], at);
    at += TypedArrayPrototypeGetByteLength(chunks[i]);
  }
  return whole;
}

// --- writing ---

/**
 * Write a file in one go.
 * @type {(path: string, bytes: Uint8Array, manner: "write" | "create" | "append", done: Done, failed: Failed) => void}
 */
export function store(path, bytes, manner, done, failed) {
  const size = TypedArrayPrototypeGetByteLength(bytes);
  if (size <= messageBytes) {
    ask(files.store, [path, bytes, manner], done, failed);
    return;
  }
  if (manner === "create") {
    // What is there stays: what takes long to write has its name from the beginning.
    ask(files.store, [path, new Uint8Array(0), manner], () => store(path, bytes, "write", done, failed), failed);
    return;
  }
  begin(path, manner === "append", true, (writable) => {
    const failedAndGone = (problem) => {
      discard(writable[0]);
      failed(problem);
    };
    write(writable[0], writable[1], bytes, () => commit(writable[0], done, failed), failedAndGone);
  }, failed);
}

/** @type {(path: string, keep: boolean, create: boolean, done: Done, failed: Failed) => void} Gives number and size. */
export const begin = (path, keep, create, done, failed) => ask(files.begin, [path, keep, create], done, failed);
/** @type {(number: number, start: number, bytes: Uint8Array, done: () => void, failed: Failed) => void} */
export function write(number, start, bytes, done, failed) {
  const size = TypedArrayPrototypeGetByteLength(bytes);
  let given = 0;
  const next = () => {
    const end = size - given < messageBytes ? size : given + messageBytes;
    const part = end - given === size ? bytes : viewOf(bytes, given, end);
    ask(files.write, [number, start + given, part], () => {
      given = end;
      if (given < size) next();
      else done();
    }, failed);
  };
  next();
}
/** @type {(number: number, size: number, done: Done, failed: Failed) => void} */
export const truncate = (number, size, done, failed) => ask(files.truncate, [number, size], done, failed);
/** @type {(number: number, done: Done, failed: Failed) => void} */
export const commit = (number, done, failed) => ask(files.commit, [number], done, failed);
/** @type {(number: number) => void} */
export const discard = (number) => ask(files.discard, [number], () => {}, () => {});
