/**
 * MessageEvent, MessageChannel and MessagePort.
 *
 * A port is one end of a channel, or none: a transfer gives the end, with all that waits at it, to a new port. Messages
 * are cloned when they are posted. Each is delivered by a task of its own.
 */

import { task } from "sandbox:native";
import { defineEventHandler, Event, EventTarget, fireEvent, inspectEvent, reinitialize } from "./events.js";
import { DOMException, global, isObject, newList, ObjectFreeze, toArray, TypeError } from "./primordials.js";
import { clone, transferList } from "./structured_clone.js";
import {
  any, construct, dictionary, DOMString, execute, requireArguments, requireBrand, sequence, USVString,
} from "./webidl.js";

/** Only this module may construct ports. */
const key = {};

/**
 * One end of a channel.
 * @typedef {object} End
 * @property {End | null} other
 * @property {MessagePort | null} port
 * @property {boolean} enabled Messages are delivered.
 * @property {{ data: any, ports: MessagePort[], next: any } | undefined} first Messages that wait here.
 * @property {any} last
 * @property {number} waiting How many.
 */

/** @returns {End} */
const newEnd = () => ({
  __proto__: null, other: null, port: null, enabled: false, first: undefined, last: undefined, waiting: 0,
});

export let isPort;
/** @type {(port: MessagePort) => End} */
let endOf;
/** @type {(port: MessagePort) => boolean} */
let isDetached;
let movePort;

export class MessagePort extends EventTarget {
  /** @type {End} */
  #end;
  #detached = false;

  static {
    isPort = (value) => isObject(value) && #end in value;
    endOf = (port) => port.#end;
    isDetached = (port) => port.#detached;
    movePort = (port) => {
      const moved = new MessagePort(key, port.#end);
      port.#detached = true;
      port.#end = newEnd();
      moved.#end.enabled = false;
      return moved;
    };
  }

  constructor(token = undefined, end = undefined) {
    if (token !== key) throw new TypeError("Illegal constructor");
    super();
    this.#end = end;
    end.port = this;
  }

  postMessage(message, options = undefined) {
    requireBrand(#end in this);
    const where = execute("postMessage", "MessagePort");
    requireArguments(arguments.length, 1, where);
    const transfer = transferList(options, where);
    const target = this.#end.other;
    let doomed = target === null;
    for (let i = 0; i < transfer.length; i++) {
      if (transfer[i] === this) {
        throw new DOMException(where + ": The port itself cannot be transferred.", "DataCloneError");
      }
      doomed ||= transfer[i] === target.port;
    }
    const { value, transferred } = clone(message, transfer, where);
    if (!doomed) send(target, value, transferred);
  }

  start() {
    requireBrand(#end in this);
    enable(this.#end);
  }

  close() {
    requireBrand(#end in this);
    this.#detached = true;
    const { other } = this.#end;
    if (other === null) return;
    this.#end.other = other.other = null;
    task(tellClosed, other);
  }
}
defineEventHandler(MessagePort.prototype, "message", (port) => enable(endOf(port)));
defineEventHandler(MessagePort.prototype, "messageerror");
defineEventHandler(MessagePort.prototype, "close");

/** @param {End} end @param {any} data @param {object[]} transferred */
function send(end, data, transferred) {
  const ports = newList();
  for (let i = 0; i < transferred.length; i++) if (isPort(transferred[i])) ports[ports.length] = transferred[i];
  const message = { __proto__: null, data, ports, next: undefined };
  if (end.enabled) task(deliver, end); // before the message is there: without memory for the task it was not sent
  if (end.first === undefined) end.first = message;
  else end.last.next = message;
  end.last = message;
  end.waiting++;
}

/** @param {End} end */
function enable(end) {
  if (end.enabled) return;
  for (let i = end.waiting; i > 0; i--) task(deliver, end);
  end.enabled = true;
}

/** A task: give the port of an end the message that has waited longest. @param {End} end */
function deliver(end) {
  if (!end.enabled || end.first === undefined) return;
  const { data, ports, next } = end.first;
  end.first = next;
  end.waiting--;
  fireMessage(end.port, data, ports);
}

/** @param {End} end */
function tellClosed(end) {
  fireEvent(end.port, new Event("close"));
}

let isChannel;
let portsOf;

export class MessageChannel {
  #port1;
  #port2;
  static {
    isChannel = (value) => isObject(value) && #port1 in value;
    portsOf = (channel) => [["port1", channel.#port1], ["port2", channel.#port2]];
  }
  constructor() {
    const first = newEnd();
    const second = newEnd();
    first.other = second;
    second.other = first;
    this.#port1 = new MessagePort(key, first);
    this.#port2 = new MessagePort(key, second);
  }
  get port1() {
    requireBrand(#port1 in this);
    return this.#port1;
  }
  get port2() {
    requireBrand(#port1 in this);
    return this.#port2;
  }
}

function toSource(value, where) {
  if (value === undefined || value === null) return null;
  if (value !== global && !isPort(value)) throw new TypeError(where + ": The source is not a MessagePort.");
  return value;
}
function toPort(value, where) {
  if (!isPort(value)) throw new TypeError(where + ": A value of the sequence is not of type 'MessagePort'.");
  return value;
}
/** A list of ports that nobody can change. */
const toPorts = (value, where) => ObjectFreeze(toArray(sequence(value, toPort, where)));
const messageInit = dictionary([
  { key: "data", convert: any, fallback: null },
  { key: "lastEventId", convert: DOMString, fallback: "" },
  { key: "origin", convert: USVString, fallback: "" },
  { key: "ports", convert: toPorts },
  { key: "source", convert: toSource, fallback: null },
]);

let isMessageEvent;
let setInit;

export class MessageEvent extends Event {
  #init;
  static {
    isMessageEvent = (value) => isObject(value) && #init in value;
    setInit = (event, init) => { event.#init = init; };
  }
  constructor(type, eventInitDict = undefined) {
    requireArguments(arguments.length, 1, construct("MessageEvent"));
    super(type, eventInitDict);
    this.#init = messageInit(eventInitDict, construct("MessageEvent"));
    this.#init.ports ??= ObjectFreeze([]);
  }
  get data() {
    requireBrand(#init in this);
    return this.#init.data;
  }
  get origin() {
    requireBrand(#init in this);
    return this.#init.origin;
  }
  get lastEventId() {
    requireBrand(#init in this);
    return this.#init.lastEventId;
  }
  get source() {
    requireBrand(#init in this);
    return this.#init.source;
  }
  get ports() {
    requireBrand(#init in this);
    return this.#init.ports;
  }
  initMessageEvent(
    type, bubbles = false, cancelable = false, data = null, origin = "", lastEventId = "", source = null,
    ports = undefined,
  ) {
    requireBrand(#init in this);
    const where = execute("initMessageEvent", "MessageEvent");
    requireArguments(arguments.length, 1, where);
    const name = DOMString(type, where);
    const init = {
      __proto__: null, data, origin: USVString(origin, where), lastEventId: DOMString(lastEventId, where),
      source: toSource(source, where), ports: ports === undefined ? ObjectFreeze([]) : toPorts(ports, where),
    };
    if (reinitialize(this, name, !!bubbles, !!cancelable)) this.#init = init;
  }
}

/**
 * Fire the event of a message.
 * @param {EventTarget} target
 * @param {any} data
 * @param {any[]} ports A list that becomes the event's.
 * @param {string} [origin]
 */
export function fireMessage(target, data, ports, origin = "") {
  const event = new MessageEvent("message");
  const frozen = ObjectFreeze(toArray(ports));
  setInit(event, { __proto__: null, data, origin, lastEventId: "", source: null, ports: frozen });
  fireEvent(target, event);
}

export const portTraits = { brand: isPort, isDetached, transfer: movePort };
export const channelTraits = {
  brand: isChannel,
  inspect: (self) => ({ __proto__: null, entries: portsOf(self) }),
};
export const messageEventTraits = { brand: isMessageEvent, inspect: inspectEvent };
