/**
 * A browser of the embedder's, as the module `sandbox:browser` and the globals `page`, `context` and `browser`: Playwright's interface.
 *
 * Nothing of it is there unless the host says so. Locators are descriptions, pages are numbers, and files are the program's
 * own: a screenshot that is to be written comes here as bytes, and goes the way of every other file.
 */

import { defineModule } from "../builtin_modules.js";
import { answerHost } from "../op.js";
import { global, ObjectDefineProperty } from "../primordials.js";
import { browser, context, page } from "./page.js";
import { expect } from "../testing/expect.js";
import { provideFixtures } from "../testing/fixtures.js";

defineModule("sandbox:browser", { page, context, browser, expect });

const globals = { __proto__: null, page, context, browser };
answerHost({
  __proto__: null,
  /** This sandbox was granted a browser. */
  "browser.expose": () => {
    for (const name in globals) {
      ObjectDefineProperty(global, name, { __proto__: null, value: globals[name], writable: true, configurable: true });
    }
    provideFixtures(context, browser);
  },
});
