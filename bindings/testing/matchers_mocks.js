/** Matchers of mocks: how often they were called, with what, and what they returned. */

import { TypeError } from "../primordials.js";
import { equals } from "./equality.js";
import { mockOf } from "./mocks.js";
import { pretty } from "./pretty.js";

const mostShown = 5;

function callsOf(value, where) {
  const mock = mockOf(value);
  if (mock === undefined) throw new TypeError(where + " needs a mock or a spy, and received is " + pretty(value, 1000));
  return mock.calls;
}

const verdict = (pass, say) => ({ __proto__: null, pass, say });
const show = (value) => pretty(value, 5000);

function showArguments(args) {
  if (args.length === 0) return "no arguments";
  let text = "";
  for (let i = 0; i < args.length; i++) text += (i === 0 ? "" : ", ") + show(args[i]);
  return text;
}

function listCalls(calls) {
  if (calls.length === 0) return "It was not called";
  let text = "Calls:";
  for (let i = 0; i < calls.length && i < mostShown; i++) text += "\n  " + (i + 1) + ": " + showArguments(calls[i]);
  return calls.length > mostShown ? text + "\n  ... " + (calls.length - mostShown) + " more" : text;
}

function listResults(results) {
  if (results.length === 0) return "It was not called";
  let text = "Results:";
  for (let i = 0; i < results.length && i < mostShown; i++) {
    const { type, value } = results[i];
    text += "\n  " + (i + 1) + ": " + (type === "throw" ? "threw " : type === "return" ? "" : "runs still ") + show(value);
  }
  return text;
}

function needPlace(n) {
  if (typeof n !== "number" || n < 1 || n % 1 !== 0) throw new TypeError("calls are counted from 1, not " + show(n));
}

const rest = (args) => {
  const others = [];
  for (let i = 1; i < args.length; i++) others[i - 1] = args[i];
  return others;
};

function returned(results) {
  let count = 0;
  for (let i = 0; i < results.length; i++) if (results[i].type === "return") count++;
  return count;
}

const gave = (result, value) => result !== undefined && result.type === "return" && equals(result.value, value);

export const matchers = {
  __proto__: null,
  toHaveBeenCalled({ value }) {
    const { calls } = callsOf(value, "toHaveBeenCalled");
    return verdict(calls.length > 0, () => listCalls(calls));
  },
  toHaveBeenCalledOnce({ value }) {
    const { calls } = callsOf(value, "toHaveBeenCalledOnce");
    return verdict(calls.length === 1, () => "Expected calls: 1\nReceived calls: " + calls.length + "\n" + listCalls(calls));
  },
  toHaveBeenCalledTimes({ value }, args) {
    const { calls } = callsOf(value, "toHaveBeenCalledTimes");
    return verdict(calls.length === args[0], (isNot) => (
      "Expected calls: " + (isNot ? "not " : "") + show(args[0]) + "\nReceived calls: " + calls.length + "\n" + listCalls(calls)
    ));
  },
  toHaveBeenCalledWith({ value }, args) {
    const { calls } = callsOf(value, "toHaveBeenCalledWith");
    let pass = false;
    for (let i = 0; i < calls.length && !pass; i++) pass = equals(calls[i], args);
    return verdict(pass, (isNot) => "Expected: " + (isNot ? "not " : "") + showArguments(args) + "\n" + listCalls(calls));
  },
  toHaveBeenLastCalledWith({ value }, args) {
    const { calls } = callsOf(value, "toHaveBeenLastCalledWith");
    const pass = calls.length > 0 && equals(calls[calls.length - 1], args);
    return verdict(pass, (isNot) => "Expected last: " + (isNot ? "not " : "") + showArguments(args) + "\n" + listCalls(calls));
  },
  toHaveBeenNthCalledWith({ value }, args) {
    const { calls } = callsOf(value, "toHaveBeenNthCalledWith");
    needPlace(args[0]);
    const wanted = rest(args);
    const pass = args[0] <= calls.length && equals(calls[args[0] - 1], wanted);
    return verdict(pass, (isNot) => (
      "Expected call " + args[0] + ": " + (isNot ? "not " : "") + showArguments(wanted) + "\n" + listCalls(calls)
    ));
  },
  toHaveReturned({ value }) {
    const { results } = callsOf(value, "toHaveReturned");
    return verdict(returned(results) > 0, () => listResults(results));
  },
  toHaveReturnedTimes({ value }, args) {
    const { results } = callsOf(value, "toHaveReturnedTimes");
    return verdict(returned(results) === args[0], (isNot) => (
      "Expected returns: " + (isNot ? "not " : "") + show(args[0]) + "\nReceived returns: " + returned(results) + "\n" + listResults(results)
    ));
  },
  toHaveReturnedWith({ value }, args) {
    const { results } = callsOf(value, "toHaveReturnedWith");
    let pass = false;
    for (let i = 0; i < results.length && !pass; i++) pass = gave(results[i], args[0]);
    return verdict(pass, (isNot) => "Expected: " + (isNot ? "not " : "") + show(args[0]) + "\n" + listResults(results));
  },
  toHaveLastReturnedWith({ value }, args) {
    const { results } = callsOf(value, "toHaveLastReturnedWith");
    return verdict(gave(results[results.length - 1], args[0]), (isNot) => (
      "Expected last: " + (isNot ? "not " : "") + show(args[0]) + "\n" + listResults(results)
    ));
  },
  toHaveNthReturnedWith({ value }, args) {
    const { results } = callsOf(value, "toHaveNthReturnedWith");
    needPlace(args[0]);
    return verdict(gave(results[args[0] - 1], args[1]), (isNot) => (
      "Expected call " + args[0] + ": " + (isNot ? "not " : "") + show(args[1]) + "\n" + listResults(results)
    ));
  },
};
