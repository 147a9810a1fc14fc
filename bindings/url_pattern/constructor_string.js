/** URL Pattern: a whole pattern as one string, taken apart into the patterns of components. */

import { StringPrototypeSlice } from "../primordials.js";
import { matchesSpecialScheme } from "./component.js";
import {
  ASTERISK, CHAR, CLOSE, END, ESCAPED, INVALID, NAME, OPEN, REGEXP, tokenize, valueOf,
} from "./tokens.js";

/** States: `start` until it is known whether there is a protocol, `authority` until whether there are credentials. */
const START = "start";
const AUTHORITY = "authority";

const components = Object.freeze({
  __proto__: null, protocol: 1, username: 1, password: 1, hostname: 1, port: 1, pathname: 1, search: 1, hash: 1,
});
/** Before the components that have a default where a later one is given. */
const beforeHost = Object.freeze({ __proto__: null, protocol: 1, authority: 1, username: 1, password: 1 });
const afterHost = Object.freeze({ __proto__: null, port: 1, pathname: 1, search: 1, hash: 1 });
const beforePath = Object.freeze({ __proto__: null, ...beforeHost, hostname: 1, port: 1 });

class Parser {
  constructor(input) {
    this.tokens = tokenize(input, true);
    this.result = { __proto__: null };
    this.state = START;
    this.componentStart = 0; // both in tokens
    this.index = 0;
    this.braces = 0;
    this.brackets = 0;
    this.special = false; // the protocol matches a special scheme
  }

  /** Whether a token is this character, and no syntax of patterns. */
  isPlain(at, character) {
    const { kinds } = this.tokens;
    const kind = kinds[at];
    return (kind === CHAR || kind === ESCAPED || kind === INVALID) && valueOf(this.tokens, at) === character;
  }

  here(character) {
    return this.isPlain(this.index, character);
  }

  isSearchPrefix() {
    if (this.here("?")) return true;
    if (valueOf(this.tokens, this.index) !== "?") return false;
    if (this.index === 0) return true;
    // After these it would be a modifier.
    const before = this.tokens.kinds[this.index - 1];
    return before !== NAME && before !== REGEXP && before !== CLOSE && before !== ASTERISK;
  }

  /** The text from the beginning of this component to here. */
  text() {
    const { input, starts } = this.tokens;
    return StringPrototypeSlice(input, starts[this.componentStart], starts[this.index]);
  }

  /** End a component; another one begins after `skip` tokens. */
  change(next, skip) {
    const { result, state } = this;
    if (components[state]) result[state] = this.text();
    if (state !== START && next !== "done") {
      if (beforeHost[state] && afterHost[next]) result.hostname ??= "";
      if (beforePath[state] && (next === "search" || next === "hash")) result.pathname ??= this.special ? "/" : "";
      if ((beforePath[state] || state === "pathname") && next === "hash") result.search ??= "";
    }
    this.state = next;
    this.index += skip;
    this.componentStart = this.index;
  }

  /** Read from the beginning of this component again, in another state. */
  rewind(state) {
    this.index = this.componentStart;
    this.state = state;
  }

  /** What begins after the authority, or after the path. */
  tryLater(path) {
    if (path && this.here("/")) this.change("pathname", 0);
    else if (this.isSearchPrefix()) this.change("search", 1);
    else if (this.here("#")) this.change("hash", 1);
    else return false;
    return true;
  }

  /** Whether the state has changed at this token; then the index is right already. */
  step() {
    switch (this.state) {
      case START:
        if (!this.here(":")) return false;
        this.rewind("protocol");
        return true;
      case "protocol": {
        if (!this.here(":")) return false;
        this.special = matchesSpecialScheme(this.text());
        const slashes = this.isPlain(this.index + 1, "/") && this.isPlain(this.index + 2, "/");
        this.change(slashes || this.special ? AUTHORITY : "pathname", slashes ? 3 : 1);
        return true;
      }
      case AUTHORITY:
        if (this.here("@")) this.rewind("username");
        else if (this.here("/") || this.isSearchPrefix() || this.here("#")) this.rewind("hostname");
        else return false;
        return true;
      case "username":
        if (this.here(":")) this.change("password", 1);
        else if (this.here("@")) this.change("hostname", 1);
        else return false;
        return true;
      case "password":
        if (!this.here("@")) return false;
        this.change("hostname", 1);
        return true;
      case "hostname":
        if (this.here("[") || this.here("]")) {
          this.brackets += this.here("[") ? 1 : -1;
          return false;
        }
        if (!this.here(":") || this.brackets !== 0) return this.tryLater(true);
        this.change("port", 1);
        return true;
      case "port":
        return this.tryLater(true);
      case "pathname":
        return this.tryLater(false);
      case "search":
        if (!this.here("#")) return false;
        this.change("hash", 1);
        return true;
      default:
        return false;
    }
  }

  /** At the last token; whether that was the end. */
  end() {
    if (this.state === START) {
      // There is no protocol: the pattern is relative.
      this.rewind(START);
      if (this.here("#")) this.change("hash", 1);
      else if (this.isSearchPrefix()) this.change("search", 1);
      else this.change("pathname", 0);
      return false;
    }
    if (this.state === AUTHORITY) {
      this.rewind("hostname");
      return false;
    }
    this.change("done", 0);
    return true;
  }

  run() {
    const { kinds } = this.tokens;
    for (;;) {
      const kind = kinds[this.index];
      if (kind === END) {
        if (this.end()) return this.result;
      } else if (kind === OPEN) {
        this.braces++;
        this.index++;
      } else if (this.braces > 0 && kind !== CLOSE) {
        this.index++;
      } else {
        if (this.braces > 0) this.braces--;
        if (!this.step()) this.index++;
      }
    }
  }
}
Object.setPrototypeOf(Parser.prototype, null);

/**
 * @param {string} input
 * @returns {import("./init.js").Init} Patterns of the components that are given.
 */
export function parseConstructorString(input) {
  const result = new Parser(input).run();
  // Without a port the default one is meant.
  if (result.hostname !== undefined) result.port ??= "";
  return result;
}
