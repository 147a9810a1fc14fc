/**
 * The test environment, as the module `sandbox:test`: suites and tests, hooks, `expect`, mocks, fake timers, snapshots.
 *
 * Nothing of it is a global unless the host says so. Programs declare; what is run, and when, the host decides: it asks for
 * the plan, then for one piece after the other, so that the limits of a run are those of a piece, and one that does not
 * end costs only itself.
 */

import { op } from "sandbox:abi.js";
import { coverModules } from "sandbox:native";
import { defineModule } from "./builtin_modules.js";
import { coverModule } from "./modules.js";
import { answerHost, call } from "./op.js";
import { global, newList, ObjectDefineProperty, ObjectKeys } from "./primordials.js";
import { expect } from "./testing/expect.js";
import { timerControls } from "./testing/fake_timers.js";
import { clearAllMocks, fn, isMockFunction, resetAllMocks, restoreAllMocks, spyOn } from "./testing/mocks.js";
import { runPiece, runTogether } from "./testing/runner.js";
import { serveSnapshots } from "./testing/snapshots.js";
import { declarer, hookDeclarer, nodes, reset } from "./testing/tree.js";

const mock = { fn, spyOn, isMockFunction, clearAllMocks, resetAllMocks, restoreAllMocks, ...timerControls };
const test = declarer(false);
const members = {
  describe: declarer(true), suite: declarer(true), test, it: test, expect, fn, spyOn, mock, jest: mock, vi: mock,
  beforeAll: hookDeclarer("beforeAll"), afterAll: hookDeclarer("afterAll"), beforeEach: hookDeclarer("beforeEach"),
  afterEach: hookDeclarer("afterEach"), before: hookDeclarer("beforeAll"), after: hookDeclarer("afterAll"),
};
reset();
defineModule("sandbox:test", members);
serveSnapshots((id, hint, text, inline, place) => call(op.testing.match, id, hint, text, inline, place));

const hookKinds = ["beforeAll", "beforeEach", "afterEach", "afterAll"];

/** A node, as the host reads it; `sandbox/testing/plan.py` says what stands where. */
function entry(node) {
  const list = newList();
  let hooks = 0;
  for (let i = 0; i < hookKinds.length; i++) if (node.hooks[hookKinds[i]].length > 0) hooks |= 1 << i;
  list[0] = node.parent === null ? -1 : node.parent.id;
  list[1] = node.isSuite;
  list[2] = node.name;
  list[3] = node.mode;
  list[4] = node.timeout;
  list[5] = node.retries;
  list[6] = node.fails;
  list[7] = node.isConcurrent;
  list[8] = node.place;
  list[9] = hooks;
  return list;
}

answerHost({
  __proto__: null,
  /** What was declared, from a node on. */
  "testing.plan": (from) => {
    const list = newList();
    for (let i = from; i < nodes.length; i++) list[list.length] = entry(nodes[i]);
    return list;
  },
  "testing.piece": runPiece,
  "testing.together": (ids, timeout) => runTogether(ids, timeout, (id, errors, milliseconds) => {
    call(op.testing.ended, id, errors, milliseconds);
  }),
  "testing.reset": reset,
  /** From now on, tell which statements of modules are executed. */
  "testing.cover": () => coverModules(op.testing.points, op.testing.counts),
  /** Tell what could be executed of a module that nobody has imported. */
  "testing.coverModule": coverModule,
  /** Make the module's exports globals. */
  "testing.expose": () => {
    const names = ObjectKeys(members);
    for (let i = 0; i < names.length; i++) {
      ObjectDefineProperty(global, names[i], {
        __proto__: null, value: members[names[i]], writable: true, configurable: true,
      });
    }
  },
});
