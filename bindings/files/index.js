/** What the globals get for files. */

import { exposeInterface, exposeOperations } from "../webidl.js";
import {
  directoryHandleTraits, fileHandleTraits, FileSystemDirectoryHandle, FileSystemFileHandle, FileSystemHandle,
  handleTraits,
} from "./handles.js";
import { operations, StorageManager, storageTraits } from "./storage.js";
import { FileSystemWritableFileStream, writableFileTraits } from "./writable.js";
import "./node_promises.js";

export function exposeFiles() {
  exposeInterface(FileSystemHandle, handleTraits);
  exposeInterface(FileSystemFileHandle, fileHandleTraits);
  exposeInterface(FileSystemDirectoryHandle, directoryHandleTraits);
  exposeInterface(FileSystemWritableFileStream, writableFileTraits);
  exposeInterface(StorageManager, storageTraits);
  exposeOperations(operations);
}
