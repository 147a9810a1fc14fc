/** What the controllers of both kinds of readable streams share: asking the source for more, at the right time. */

import { microtask, newQueue, queueTotal, whenSettled } from "sandbox:native";
import { later } from "./promises.js";
import { closeReadable, ERRORED, READABLE } from "./readable_state.js";
import { record } from "./records.js";

/**
 * Where chunks come from.
 * @typedef {object} Source
 * @property {(controller: Controller) => import("./promises.js").Outcome} start
 * @property {(controller: Controller) => import("./promises.js").Outcome} pull
 * @property {(reason: any) => import("./promises.js").Outcome} cancel
 * @property {boolean} pulls Whether `pull` does anything.
 */

export class Controller {
  /**
   * @param {import("./readable_state.js").ReadableState} stream
   * @param {Source} source
   * @param {number} highWaterMark
   */
  constructor(stream, source, highWaterMark) {
    this.stream = stream;
    /** @type {Source | undefined} Let go when nothing more will be asked of it. */
    this.source = source;
    this.highWaterMark = highWaterMark;
    /** Of chunks, or of ranges of bytes, with their sizes. */
    this.queue = newQueue();
    this.started = false;
    this.closeRequested = false;
    this.pulling = false;
    this.pullAgain = false;
    /** The object guest code knows, once there is one. */
    this.object = undefined;
    this.onPulled = undefined;
    this.onPullFailed = undefined;
  }

  /** How much may still come before the queue is full; null: the stream has failed. */
  desiredSize() {
    if (this.stream.state === READABLE) return this.highWaterMark - queueTotal(this.queue);
    return this.stream.state === ERRORED ? null : 0;
  }

  canEnqueue() {
    return !this.closeRequested && this.stream.state === READABLE;
  }

  wants() {
    const { stream } = this;
    if (this.closeRequested || stream.state !== READABLE || !this.started) return false;
    const { reader } = stream;
    return (reader !== undefined && reader.request !== undefined) || this.highWaterMark - queueTotal(this.queue) > 0;
  }

  /** Whether the source should be asked for more; it has been, unless it is still at work. */
  pullIfNeeded() {
    const { source } = this;
    if (source === undefined || !source.pulls || !this.wants()) return false;
    if (this.pulling) {
      this.pullAgain = true;
      return true;
    }
    this.pulling = true;
    const outcome = source.pull(this);
    if (outcome === undefined) microtask(sourcePulled, this);
    else if (outcome !== later) this.awaitPull(outcome);
    return true;
  }

  awaitPull(promise) {
    this.onPulled ??= () => sourcePulled(this);
    this.onPullFailed ??= (error) => this.error(error);
    whenSettled(promise, this.onPulled, this.onPullFailed);
  }

  /** No more will be asked of the source. */
  letGo() {
    this.source = undefined;
  }

  finish() {
    this.letGo();
    closeReadable(this.stream);
  }

  cancelSource(reason) {
    const outcome = this.source.cancel(reason);
    this.letGo();
    return outcome;
  }

  /** @throws {any} What the source's `start` throws. */
  start() {
    const outcome = this.source.start(this);
    if (outcome === undefined) microtask(sourceStarted, this);
    else if (outcome !== later) whenSettled(outcome, () => this.didStart(), (error) => this.error(error));
  }

  didStart() {
    this.started = true;
    this.pullIfNeeded();
  }
}
record(Controller);

function sourceStarted(controller) {
  controller.didStart();
}

/** The source has done what `pull` asked for. @param {Controller} controller */
export function sourcePulled(controller) {
  controller.pulling = false;
  if (!controller.pullAgain) return;
  controller.pullAgain = false;
  controller.pullIfNeeded();
}
