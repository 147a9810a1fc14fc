/**
 * BroadcastChannel: messages to all other channels of a name in this sandbox.
 *
 * A channel without listeners is referred to weakly, so that one may be forgotten without being closed.
 */

import { task } from "sandbox:native";
import { defineEventHandler, EventTarget, hasListeners, watchListeners } from "./events.js";
import { fireMessage } from "./messaging.js";
import {
  DOMException, isObject, Map, MapPrototypeDelete, MapPrototypeGet, MapPrototypeSet, MathMax, newList, WeakRef,
  WeakRefPrototypeDeref,
} from "./primordials.js";
import { clone } from "./structured_clone.js";
import { construct, DOMString, execute, requireArguments, requireBrand } from "./webidl.js";

/** Lists are looked through for channels that are gone when they are twice as long as after the last time. */
const shortestSweep = 16;

/**
 * @typedef {object} Link
 * @property {WeakRef<BroadcastChannel>} weak
 * @property {BroadcastChannel | undefined} strong The channel, while it has listeners.
 * @property {boolean} closed
 */

/** The open channels of a name, in the order they were made. @type {Map<string, { links: Link[], sweepAt: number }>} */
const groups = new Map();
const noTransfer = newList();

let isChannel;
let nameOf;
/** @type {(channel: BroadcastChannel) => Link} */
let linkOf;

export class BroadcastChannel extends EventTarget {
  #name;
  /** @type {Link} */
  #link;

  static {
    isChannel = (value) => isObject(value) && #link in value;
    nameOf = (channel) => channel.#name;
    linkOf = (channel) => channel.#link;
  }

  constructor(name) {
    const where = construct("BroadcastChannel");
    requireArguments(arguments.length, 1, where);
    const text = DOMString(name, where);
    super();
    this.#name = text;
    this.#link = { __proto__: null, weak: new WeakRef(this), strong: undefined, closed: false };
    watchListeners(this, hold);
    join(text, this.#link);
  }

  get name() {
    requireBrand(#link in this);
    return this.#name;
  }

  postMessage(message) {
    requireBrand(#link in this);
    const where = execute("postMessage", "BroadcastChannel");
    requireArguments(arguments.length, 1, where);
    if (this.#link.closed) throw new DOMException(where + ": The channel is closed.", "InvalidStateError");
    const { value } = clone(message, noTransfer, where);
    const group = MapPrototypeGet(groups, this.#name);
    if (group === undefined) return;
    let given = false;
    for (let i = 0; i < group.links.length; i++) {
      const target = WeakRefPrototypeDeref(group.links[i].weak);
      if (target === undefined || target === this) continue;
      const data = given ? clone(value, noTransfer, where).value : value;
      given = true;
      task(deliver, { __proto__: null, target, data });
    }
  }

  close() {
    requireBrand(#link in this);
    this.#link.closed = true;
    this.#link.strong = undefined;
    const group = MapPrototypeGet(groups, this.#name);
    if (group !== undefined) sweep(this.#name, group);
  }
}
defineEventHandler(BroadcastChannel.prototype, "message");
defineEventHandler(BroadcastChannel.prototype, "messageerror");

/** @param {BroadcastChannel} channel */
function hold(channel) {
  const link = linkOf(channel);
  link.strong = !link.closed && hasListeners(channel, "message") ? channel : undefined;
}

/** @param {string} name @param {Link} link */
function join(name, link) {
  const group = MapPrototypeGet(groups, name) ?? { __proto__: null, links: newList(), sweepAt: shortestSweep };
  group.links[group.links.length] = link;
  MapPrototypeSet(groups, name, group);
  if (group.links.length >= group.sweepAt) sweep(name, group);
}

/** Forget channels that are closed or gone. */
function sweep(name, group) {
  const { links } = group;
  const live = newList();
  for (let i = 0; i < links.length; i++) {
    if (!links[i].closed && WeakRefPrototypeDeref(links[i].weak) !== undefined) live[live.length] = links[i];
  }
  group.links = live;
  group.sweepAt = MathMax(shortestSweep, 2 * live.length);
  if (live.length === 0) MapPrototypeDelete(groups, name);
}

/** A task. @param {{ target: BroadcastChannel, data: any }} message */
function deliver({ target, data }) {
  if (!linkOf(target).closed) fireMessage(target, data, newList());
}

export const broadcastTraits = {
  brand: isChannel,
  inspect: (self) => ({ __proto__: null, entries: [["name", nameOf(self)], ["active", !linkOf(self).closed]] }),
};
