/** ReadableStreamDefaultTee: two streams of one. */

import { markHandled, microtask, newPromise, resolvePromise } from "sandbox:native";
import { newList, toArray } from "../primordials.js";
import { operations } from "../structured_clone.js";
import { follow, REJECTED } from "./promises.js";
import { setUpDefaultController } from "./readable_default.js";
import { acquireReader, cancelReadable, ReadableState, readFrom } from "./readable_state.js";
import { record } from "./records.js";

const { structuredClone } = operations;

/** One of the two branches, as the source of a stream. */
export class Branch {
  /** @param {{ pull(branch: Branch): void, cancelled(): void }} tee */
  constructor(tee) {
    this.tee = tee;
    this.pulls = true;
    this.canceled = false;
    this.reason = undefined;
    this.stream = new ReadableState();
  }

  start() {}

  pull() {
    this.tee.pull(this);
  }

  cancel(reason) {
    this.canceled = true;
    this.reason = reason;
    return this.tee.cancelled();
  }

  close() {
    if (!this.canceled) this.stream.controller.close();
  }

  error(error) {
    this.stream.controller.error(error);
  }
}
record(Branch);

/** What the tees of default and of byte streams share. */
export class Tee {
  constructor(stream) {
    this.stream = stream;
    this.reading = false;
    this.first = new Branch(this);
    this.second = new Branch(this);
    /** What both cancellations wait for; made when one of them comes. */
    this.cancellation = undefined;
    this.ended = false;
  }

  cancelled() {
    const { first, second } = this;
    if (this.cancellation === undefined) {
      this.cancellation = newPromise();
      if (this.ended) resolvePromise(this.cancellation, undefined);
    }
    if (first.canceled && second.canceled && !this.ended) {
      const reasons = newList();
      reasons[0] = first.reason;
      reasons[1] = second.reason;
      this.end(cancelReadable(this.stream, toArray(reasons)));
    }
    return this.cancellation;
  }

  /** @param {Promise<undefined> | undefined} outcome */
  end(outcome) {
    if (this.ended) return;
    this.ended = true;
    const { cancellation } = this;
    if (cancellation !== undefined) follow(cancellation, outcome);
    else if (outcome !== undefined) markHandled(outcome);
  }

  endUnlessCanceled() {
    if (!this.first.canceled || !this.second.canceled) this.end(undefined);
  }

  /** The chunk could not be copied. */
  fail(error) {
    this.first.error(error);
    this.second.error(error);
    this.end(cancelReadable(this.stream, error));
  }

  /** When the stream fails while a reader of ours has it, both branches do. */
  forwardError(reader) {
    reader.closed.listen(() => {
      if (reader.closed.state !== REJECTED || reader !== this.reader) return;
      this.first.error(reader.closed.reason);
      this.second.error(reader.closed.reason);
      this.endUnlessCanceled();
    }, undefined);
  }
}
record(Tee);

class DefaultTee extends Tee {
  constructor(stream, clone) {
    super(stream);
    this.clone = clone;
    this.readAgain = false;
    this.reader = acquireReader(stream);
  }

  pull() {
    if (this.reading) {
      this.readAgain = true;
      return;
    }
    this.reading = true;
    readFrom(this.reader, this);
  }

  chunk(value) {
    microtask(deliver, this, value);
  }

  close() {
    this.reading = false;
    this.first.close();
    this.second.close();
    this.endUnlessCanceled();
  }

  error() {
    this.reading = false;
  }
}

/** In a microtask, since a failure of the stream takes one to become known, and comes first. @param {DefaultTee} tee */
function deliver(tee, chunk) {
  tee.readAgain = false;
  const { first, second } = tee;
  let copy = chunk;
  if (tee.clone && !second.canceled) {
    try {
      copy = structuredClone(chunk);
    } catch (error) {
      tee.fail(error);
      return;
    }
  }
  if (!first.canceled) first.stream.controller.enqueue(chunk);
  if (!second.canceled) second.stream.controller.enqueue(copy);
  tee.reading = false;
  if (tee.readAgain) tee.pull();
}

/**
 * @param {ReadableState} stream A default stream, not locked.
 * @param {boolean} clone Whether the second branch gets copies of the chunks.
 * @returns {Tee} Its branches hold the streams.
 */
export function teeDefault(stream, clone) {
  const tee = new DefaultTee(stream, clone);
  setUpDefaultController(tee.first.stream, tee.first, 1, undefined);
  setUpDefaultController(tee.second.stream, tee.second, 1, undefined);
  tee.forwardError(tee.reader);
  return tee;
}
