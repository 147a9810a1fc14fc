/** What tests get that ask for it: a page of their own, where there is a browser. */

import { FunctionPrototypeToString, RegExpPrototypeExec } from "../primordials.js";

/** What opens pages; null: nobody does. */
let opener = null;
let browser = null;
/** Those of tests that have begun, as promises, by the number of the test. */
let open = { __proto__: null };
let last = -1;
const destructures = /^(?:async\b\s*)?(?:function\b\s*\*?\s*[\w$]*\s*)?\(\s*\{/;

/** @param {any} context Has `newPage`. @param {any} given The browser. */
export function provideFixtures(context, given) {
  opener = context;
  browser = given;
}

/** Whether a function asks for them: by taking its first argument apart. @param {Function} body @param {any[]} args */
export const wantsFixtures = (body, args) => (
  opener !== null && args.length === 0 && body.length === 1
  && RegExpPrototypeExec(destructures, FunctionPrototypeToString(body)) !== null
);

/** Those of a test, the same ones for its hooks and its body. @param {number} id */
export async function fixturesOf(id) {
  open[id] ??= opener.newPage();
  return { page: await open[id], context: opener, browser };
}

/** Another test begins: what the one before had is closed. @param {number} id */
export async function turnTo(id) {
  const before = last;
  last = id;
  if (before !== id) await closeFixtures(before);
}

/** @param {number} id */
export async function closeFixtures(id) {
  const opened = open[id];
  if (opened === undefined) return;
  delete open[id];
  try {
    await (await opened).close();
  } catch {
    return; // it is gone already
  }
}
