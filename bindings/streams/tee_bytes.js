/** ReadableByteStreamTee: two byte streams of one. A branch's reader may fill its own buffer; the other gets a copy. */

import { microtask, queueLength } from "sandbox:native";
import { ArrayBufferPrototypeGetByteLength, Uint8Array } from "../primordials.js";
import { cloneBytes } from "./pull_into.js";
import { setUpByteController } from "./readable_byte.js";
import { acquireReader, ERRORED, readFrom, releaseReader } from "./readable_state.js";
import { record } from "./records.js";
import { Tee } from "./tee.js";
import { viewParts } from "./views.js";

/** @param {Uint8Array} view */
const copyOf = (view) => {
  const { buffer, offset, byteLength } = viewParts(view, "tee");
  return cloneBytes(buffer, offset, byteLength);
};

/** @param {import("./tee.js").Branch} branch @param {ArrayBufferView} view */
function enqueue(branch, view) {
  const { buffer, offset, byteLength } = viewParts(view, "tee");
  branch.stream.controller.enqueue(buffer, offset, byteLength);
}

function respondWithView(branch, view) {
  const { buffer, offset, byteLength } = viewParts(view, "tee");
  branch.stream.controller.respondWithView(buffer, offset, byteLength);
}

/** A reader of a closed branch gets its buffer back. */
function respondNothing(branch) {
  const { controller } = branch.stream;
  if (queueLength(controller.pending) > 0) controller.respond(0);
}

class ByteTee extends Tee {
  constructor(stream) {
    super(stream);
    this.againForFirst = false;
    this.againForSecond = false;
    this.reader = acquireReader(stream);
  }

  /** @param {import("./tee.js").Branch} branch */
  pull(branch) {
    if (this.reading) {
      if (branch === this.first) this.againForFirst = true;
      else this.againForSecond = true;
      return;
    }
    this.reading = true;
    const request = branch.stream.controller.currentRequest();
    this.useReader(request !== undefined);
    if (request === undefined) readFrom(this.reader, this);
    else this.readInto(branch, request.view);
  }

  /** Have a reader of the kind that is needed now. */
  useReader(byob) {
    if (this.reader.byob === byob) return;
    releaseReader(this.reader);
    this.reader = acquireReader(this.stream, byob);
    this.forwardError(this.reader);
  }

  readInto(branch, view) {
    const { stream } = this;
    const request = new BranchRequest(this, branch, branch === this.first ? this.second : this.first);
    stream.disturbed = true;
    if (stream.state === ERRORED) {
      request.error();
      return;
    }
    const { kind, buffer, offset, byteLength } = viewParts(view, "tee");
    stream.controller.pullInto(kind, buffer, offset, byteLength, 1, request);
  }

  chunk(value) {
    microtask(deliver, this, value);
  }

  close() {
    this.reading = false;
    this.first.close();
    this.second.close();
    respondNothing(this.first);
    respondNothing(this.second);
    this.endUnlessCanceled();
  }

  error() {
    this.reading = false;
  }

  begin() {
    this.againForFirst = this.againForSecond = false;
  }

  /** A copy for the other branch; undefined: there is no room for one, and the tee has failed. */
  copy(view) {
    try {
      return copyOf(view);
    } catch (error) {
      this.fail(error);
      return undefined;
    }
  }

  goOn() {
    this.reading = false;
    if (this.againForFirst) this.pull(this.first);
    else if (this.againForSecond) this.pull(this.second);
  }
}

/** @param {ByteTee} tee @param {Uint8Array} chunk */
function deliver(tee, chunk) {
  tee.begin();
  const { first, second } = tee;
  let other = chunk;
  if (!first.canceled && !second.canceled) {
    const copy = tee.copy(chunk);
    if (copy === undefined) return;
    other = new Uint8Array(copy);
  }
  if (!first.canceled) enqueue(first, chunk);
  if (!second.canceled) enqueue(second, other);
  tee.goOn();
}

/** What a branch reads into a buffer of its own reader's. */
class BranchRequest {
  constructor(tee, branch, other) {
    this.tee = tee;
    this.branch = branch;
    this.other = other;
  }

  chunk(value) {
    microtask(deliverInto, this, value);
  }

  close(view) {
    const { tee, branch, other } = this;
    tee.reading = false;
    branch.close();
    other.close();
    if (view !== undefined) {
      if (!branch.canceled) respondWithView(branch, view);
      if (!other.canceled) respondNothing(other);
    }
    tee.endUnlessCanceled();
  }

  error() {
    this.tee.reading = false;
  }
}
record(BranchRequest);

/** @param {BranchRequest} request @param {Uint8Array} view */
function deliverInto(request, view) {
  const { tee, branch, other } = request;
  tee.begin();
  if (!other.canceled) {
    const copy = tee.copy(view);
    if (copy === undefined) return;
    if (!branch.canceled) respondWithView(branch, view);
    other.stream.controller.enqueue(copy, 0, ArrayBufferPrototypeGetByteLength(copy));
  } else if (!branch.canceled) {
    respondWithView(branch, view);
  }
  tee.goOn();
}

/**
 * @param {import("./readable_state.js").ReadableState} stream A byte stream, not locked.
 * @returns {Tee} Its branches hold the streams.
 */
export function teeBytes(stream) {
  const tee = new ByteTee(stream);
  setUpByteController(tee.first.stream, tee.first, 0, undefined);
  setUpByteController(tee.second.stream, tee.second, 0, undefined);
  tee.forwardError(tee.reader);
  return tee;
}
