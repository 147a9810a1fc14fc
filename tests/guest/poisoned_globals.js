/**
 * The bindings must reach nothing that user code can replace.
 *
 * Every method and getter of the built-in objects is replaced by one that keeps a record, properties are planted on
 * Object.prototype, and the global constructors become accessors. Then every API is used. The value of this script is
 * the list of what was reached, which must be empty; a changed result is listed too.
 */
(async () => {
  "use strict";
  const { apply, construct, defineProperty, getOwnPropertyDescriptor, getPrototypeOf, ownKeys } = Reflect;
  const api = {
    AbortController, AbortSignal, Blob, BroadcastChannel, CloseEvent, CustomEvent, ErrorEvent, EventTarget, File, FileReader,
    FormData, Headers, Intl, MessageChannel, MessageEvent, PerformanceMark, PerformanceObserver, PromiseRejectionEvent,
    Request, Response, fetch, navigator,
    atob, btoa, console, crypto, performance, queueMicrotask, setInterval, setTimeout, clearTimeout, clearInterval,
    structuredClone, TextDecoder, TextEncoder, URL, URLPattern, URLSearchParams, WebSocket,
  };
  const reached = Object.setPrototypeOf([], null);
  let recording = false;
  /** A promise is resolved with an object: the standard has it look for `then`. */
  let settling = false;
  const record = (what) => {
    if (recording && !(settling && what === "Object.prototype.then")) reached[reached.length] = what;
  };

  const noop = () => {};
  const bytes = new Uint8Array([1, 2, 3]);
  const trapped = {
    get field() { record("the getter of an argument"); },
    get [Symbol.toStringTag]() { record("the tag of an argument"); },
    toJSON() { record("toJSON of an argument"); },
    toString() { record("toString of an argument"); return ""; },
  };
  const traps = ["get", "has", "ownKeys", "getOwnPropertyDescriptor", "getPrototypeOf"];
  const proxy = new Proxy({ a: 1 }, Object.fromEntries(traps.map((name) => {
    const standard = Reflect[name];
    const what = `the Proxy trap ${name}`;
    return [name, (...args) => { record(what); return apply(standard, undefined, args); }];
  })));
  const values = [
    1, "text", 1n, null, Symbol("s"), { a: 1, b: [1, "x", { c: 2 }] }, new Map([["k", { v: 1 }]]), new Set([1]),
    new Date(0), /x/gi, new TypeError("e", { cause: new Error("c") }), bytes, new DataView(new ArrayBuffer(2)),
    Array.from({ length: 120 }, (_, i) => i), Object(1), Object("s"), Object(1n), Object(true), function named() {},
    class A {}, async () => {}, Promise.resolve(1), new DOMException("m", "AbortError"), trapped, proxy,
  ];
  const cloneable = {
    list: [1, "text", new Map([[{ k: 1 }, new Set([2])]]), new Date(0), /x/gi, new TypeError("e"), Object(1), bytes],
    get computed() { return 5; },
  };
  const table = [{ a: 1 }, { a: 2, b: trapped }];
  const formats = ["%s %d %i %f %j %o %O %c %%", trapped, trapped, 1.5, "2.5", trapped, trapped, { a: 1 }, "css"];
  const room = new Uint8Array(2);
  const lead = new Uint8Array([0x82]);
  const trail = new DataView(new Uint8Array([0xa0]).buffer);
  const more = { __proto__: null, stream: true };
  const depth = { __proto__: null, depth: 1 };
  const Bytes = Uint8Array;
  const Buffer = ArrayBuffer;
  const resizable = { __proto__: null, maxByteLength: 16 };
  const fileInit = { __proto__: null, type: "Text/X", lastModified: 5 };
  const multipart = '--b\r\nContent-Disposition: form-data; name="a%0a"; filename=x\r\nA: b\r\n\r\nx\r\n--b--';
  const typed = (type) => ({ __proto__: null, headers: { __proto__: null, "content-type": type } });
  const multipartInit = typed("multipart/form-data; boundary=b");
  const urlencodedInit = typed("application/x-www-form-urlencoded");
  const once = { __proto__: null, once: true };
  /** An iterable that reaches nothing. */
  const { iterator } = Symbol;
  const listOf = (first, second) => {
    let at = 0;
    const next = () => ({ __proto__: null, done: at === 2, value: at++ === 0 ? first : second });
    return { __proto__: null, [iterator]() { at = 0; return { __proto__: null, next }; } };
  };

  const { subtle } = crypto;
  const [cbc, kw, ec, ecdh, mac, base] = await Promise.all([
    subtle.generateKey({ name: "AES-CBC", length: 128 }, true, ["encrypt", "decrypt"]),
    subtle.generateKey({ name: "AES-KW", length: 128 }, true, ["wrapKey", "unwrapKey"]),
    subtle.generateKey({ name: "ECDSA", namedCurve: "P-256" }, true, ["sign", "verify"]),
    subtle.generateKey({ name: "ECDH", namedCurve: "P-256" }, true, ["deriveKey", "deriveBits"]),
    subtle.generateKey({ name: "HMAC", hash: "SHA-1" }, true, ["sign", "verify"]),
    subtle.importKey("raw", new Uint8Array(8), "HKDF", false, ["deriveBits"]),
  ]);
  const iv = new Uint8Array(16);
  const wrapped = await subtle.wrapKey("raw", cbc, kw, "AES-KW");
  const encrypted = await subtle.encrypt({ name: "AES-CBC", iv }, cbc, bytes);
  const jwk = { __proto__: null, ...await subtle.exportKey("jwk", cbc), key_ops: undefined };
  const named = (name, more) => ({ __proto__: null, name, ...more });
  const cbcNow = named("aes-cbc", { iv });
  const sha = named("ecdsa", { hash: named("sha-256") });
  const hkdf = named("HKDF", { hash: "SHA-1", salt: iv, info: iv.buffer });
  const agree = named("ECDH", { public: ecdh.publicKey });
  const fresh = named("ecdsa", { namedCurve: "P-256" });
  const aes = named("AES-CBC", { length: 128 });

  /** Use every API once; the results as text. */
  const use = () => {
    const { console: log } = api;
    for (let i = 0; i < values.length; i++) log.log(values[i]);
    apply(log.warn, log, formats);
    log.table(table);
    log.table(values[6]);
    log.dir(table, depth);
    log.group("g");
    log.groupEnd();
    log.count();
    log.countReset();
    log.time();
    log.timeEnd();
    log.assert(false, trapped);
    log.trace("t");

    api.clearTimeout(api.setTimeout(noop, 5));
    api.clearInterval(api.setInterval(noop, 5));
    api.queueMicrotask(noop);

    const url = new api.URL("http://a.example/?x=1&y=%20+2");
    url.searchParams.append("é", "z");
    let text = url.href;
    url.search = "?q=1";
    text += url.searchParams.get("q");
    const params = new api.URLSearchParams("b=1&a=2&b=3");
    params.delete("b", "1");
    params.set("c", "d");
    params.sort();
    text += params.toString() + params.getAll("b").length + params.size;

    const pattern = new api.URLPattern("https://{:sub.}?*/:a(\\d+)/Xé:b+", { __proto__: null, ignoreCase: true });
    const match = pattern.exec("xé5", "https://x.example/7/");
    text += pattern.pathname + pattern.hasRegExpGroups + match.pathname.groups.b + match.hostname.groups[0];
    const init = { __proto__: null, pathname: ":b?", search: "?a b", baseURL: "foo://h/a:b/c" };
    text += new api.URLPattern(init).test(init) + new api.URLPattern("x", "https://h/y/").pathname;
    text += api.URLPattern.compareComponent("hostname", pattern, new api.URLPattern());
    try {
      new api.URLPattern({ __proto__: null, hash: "([)" });
    } catch {
      text += "no pattern";
    }
    log.log(pattern);

    const decoder = new api.TextDecoder("utf-8");
    text += decoder.decode(new api.TextEncoder().encode("héllo")) + decoder.decode(bytes).length;
    text += new api.TextEncoder().encodeInto("abc", room).read;
    const japanese = new api.TextDecoder("SJIS", { __proto__: null, fatal: true });
    text += japanese.encoding + japanese.decode(lead, more) + japanese.decode(trail);
    try {
      japanese.decode(lead);
    } catch {
      text += "malformed";
    }
    const clone = api.structuredClone(cloneable);
    text += clone.list.length + clone.computed;
    try {
      api.structuredClone(noop);
    } catch {
      text += "refused";
    }
    text += api.crypto.randomUUID().length;
    api.crypto.getRandomValues(bytes);

    const target = new api.EventTarget();
    const controller = new api.AbortController();
    let heard = 0;
    const listener = (event) => { heard += event.composedPath().length + event.detail; };
    target.addEventListener("x", listener, { __proto__: null, signal: controller.signal });
    target.addEventListener("x", { __proto__: null, handleEvent: listener }, once);
    target.dispatchEvent(new api.CustomEvent("x", { __proto__: null, detail: 5 }));
    target.removeEventListener("x", listener);
    const signals = listOf(controller.signal, api.AbortSignal.abort());
    heard += api.AbortSignal.any(signals).aborted;
    const combined = api.AbortSignal.any(listOf(controller.signal, controller.signal));
    combined.onabort = () => { heard += 100; };
    controller.abort();
    text += heard + (combined.reason !== undefined) + api.AbortSignal.timeout(5).aborted;
    text += new api.ErrorEvent("e", { __proto__: null, lineno: 5 }).lineno;
    text += new api.PromiseRejectionEvent("e", { __proto__: null, promise: values[21] }).isTrusted;
    log.log(combined, new api.CustomEvent("x"));

    const channel = new api.MessageChannel();
    const buffer = new Buffer(8, resizable);
    const view = new Bytes(buffer);
    channel.port1.onmessage = noop;
    channel.port2.postMessage(view, listOf(buffer, new api.MessageChannel().port1));
    channel.port2.postMessage(cloneable, { __proto__: null, transfer: listOf(new Buffer(8), channel.port1) });
    channel.port2.close();
    text += new api.MessageEvent("m", { __proto__: null, ports: listOf(channel.port2, channel.port2) }).ports.length;
    const broadcast = new api.BroadcastChannel("b");
    broadcast.onmessage = noop;
    new api.BroadcastChannel("b").postMessage(cloneable);
    broadcast.close();
    log.log(channel, broadcast);

    const observer = new api.PerformanceObserver(noop);
    observer.observe({ __proto__: null, entryTypes: listOf("mark", "measure") });
    api.performance.mark("m", { __proto__: null, startTime: 5, detail: cloneable });
    const measure = api.performance.measure("n", { __proto__: null, start: "m", end: 7 });
    text += measure.duration + api.performance.getEntries().length + api.performance.getEntriesByName("m").length;
    text += observer.takeRecords().length + new api.PerformanceMark("x", { __proto__: null, startTime: 1 }).startTime;
    observer.disconnect();
    api.performance.clearMarks("m");
    api.performance.clearMeasures();
    log.log(measure);

    const intl = api.Intl;
    const german = { __proto__: null, length: 1, 0: "de-DE-u-nu-latn" };
    const number = new intl.NumberFormat(german, { __proto__: null, style: "currency", currency: "EUR" });
    text += number.format(1234.5) + number.formatToParts(-5n).length + number.formatRange(1, "2");
    text += number.resolvedOptions().currency + intl.NumberFormat.supportedLocalesOf(german).length;
    const date = new intl.DateTimeFormat("de", { __proto__: null, dateStyle: "full", timeZone: "Europe/Berlin" });
    text += date.format(0) + date.formatToParts(0).length + date.formatRange(0, 1e9) + date.resolvedOptions().timeZone;
    const plural = new intl.PluralRules("ru");
    text += plural.select(3) + plural.resolvedOptions().pluralCategories.length;
    text += new intl.ListFormat("es").formatToParts(listOf("a", "i")).length;
    text += new intl.RelativeTimeFormat("de", { __proto__: null, numeric: "auto" }).format(-1, "day");
    text += new intl.DisplayNames("fr", { __proto__: null, type: "region" }).of("de");
    text += new intl.Collator("sv").compare("ö", "z") + new intl.Collator("de").resolvedOptions().locale;
    const locale = new intl.Locale("sr-latn", { __proto__: null, region: "rs", calendar: "gregory" });
    text += locale.maximize().toString() + locale.getWeekInfo().firstDay + locale.baseName;
    text += intl.getCanonicalLocales(german).length + intl.supportedValuesOf("unit").length;
    const segments = new intl.Segmenter("en", { __proto__: null, granularity: "word" }).segment("can't stop");
    text += segments.containing(1).segment;
    const file = new api.File(listOf("ab", bytes), "n\"\n", fileInit);
    const blob = new api.Blob(listOf(file, "\r\n"), { __proto__: null, endings: "native" });
    text += blob.slice(1, -1, "T").size + file.name + file.lastModified + api.structuredClone(file).type;
    blob.text();
    blob.stream().getReader().closed;
    api.URL.revokeObjectURL(api.URL.createObjectURL(blob));
    new api.FileReader().readAsText(blob, "utf-8");
    const form = new api.FormData();
    form.append("a\n", "b\r");
    form.append("f", blob, "é");
    form.set("c", "d");
    form.delete("c");
    text += form.getAll("f").length + form.get("a\n") + form.has("x") + form.keys().next().value;
    const headers = new api.Headers(listOf(listOf("B", " x "), listOf("Content-Type", 'Text/Plain;a="b\\c"')));
    headers.append("set-cookie", "y");
    headers.set("b", "z");
    text += headers.get("B") + headers.getSetCookie().length + headers.entries().next().value[1];
    new api.Headers({ __proto__: null, a: "b" }).delete("a");
    const pairs = listOf(listOf("B", " x "), listOf("Content-Type", "text/plain"));
    const post = { __proto__: null, method: "post", body: form, headers: pairs, signal: controller.signal };
    const request = new api.Request("https://a.example/", post);
    request.headers.set("x-method-override", "a,b");
    request.clone().text();
    text += new api.Request(request).method + request.bodyUsed + request.url + request.signal.aborted;
    const response = new api.Response(form, { __proto__: null, status: 201, headers: pairs });
    const simple = new api.Request("https://a.example/", { __proto__: null, mode: "no-cors", headers: pairs });
    text += simple.headers.get("content-type") + response.clone().ok + (response.body !== null);
    response.text();
    new api.Response("5").json();
    new api.Response(new api.URLSearchParams("a=b")).text();
    api.Response.json("j").text();
    settling = true;
    new api.Response(multipart, multipartInit).formData();
    new api.Response("a=%20+b", urlencodedInit).formData();
    new api.Response("a").blob();
    new api.Response("a").bytes();
    blob.arrayBuffer();
    api.fetch("data:text/plain;a=\"b\";base64,YWJj");
    const socket = new api.WebSocket("https://a.example/x", listOf("chat", "superchat"));
    socket.onclose = socket.onerror = noop;
    socket.binaryType = "arraybuffer";
    text += socket.url + socket.readyState + socket.bufferedAmount + socket.binaryType;
    socket.close(3000, "bye");
    text += new api.CloseEvent("close", { __proto__: null, code: 1, reason: "r", wasClean: true }).reason;
    log.log(socket);
    api.crypto.subtle.digest("sha-1", bytes);
    subtle.encrypt(cbcNow, cbc, hkdf.info);
    subtle.decrypt(cbcNow, cbc, encrypted);
    subtle.sign("HMAC", mac, trail);
    subtle.verify("HMAC", mac, iv, bytes);
    subtle.sign(sha, ec.privateKey, bytes);
    subtle.generateKey(fresh, true, listOf("sign", "verify"));
    subtle.importKey("jwk", jwk, "AES-CBC", true, listOf("encrypt", "decrypt"));
    subtle.exportKey("jwk", ec.privateKey);
    subtle.exportKey("raw", ec.publicKey);
    subtle.deriveBits(hkdf, base, 128);
    subtle.deriveKey(agree, ecdh.privateKey, aes, true, listOf("encrypt", "decrypt"));
    subtle.wrapKey("raw", cbc, kw, "AES-KW");
    subtle.unwrapKey("raw", wrapped, kw, "AES-KW", "AES-CBC", true, listOf("encrypt", "decrypt"));
    settling = false;
    const cloned = api.structuredClone(mac);
    text += cloned.type + cloned.extractable + cloned.algorithm.hash.name + cloned.usages.length;
    log.log(cloned, ec.publicKey);
    text += api.Response.redirect("https://a.example/", 301).status + api.Response.error().type;
    log.log(blob, file, form, headers, request, response);
    return text + (api.performance.now() >= 0) + api.atob(api.btoa("abc")) + api.navigator.userAgent;
  };

  const expected = use();
  const names = [
    "Object", "Function", "Array", "String", "Number", "Boolean", "BigInt", "Symbol", "RegExp", "Date", "Map", "Set",
    "WeakMap", "Promise", "Error", "TypeError", "RangeError", "ArrayBuffer", "DataView", "Uint8Array", "Iterator",
    "DOMException", "Math", "JSON", "Reflect",
  ];
  const targets = [getPrototypeOf(Uint8Array.prototype), getPrototypeOf([].values()), getPrototypeOf(new Map().keys())];
  for (const name of names) targets.push(globalThis[name], globalThis[name].prototype);

  const plan = [];
  for (const target of targets.filter(Boolean)) {
    for (const key of ownKeys(target)) {
      const { value, get, set, configurable } = getOwnPropertyDescriptor(target, key);
      if (!configurable || key === "constructor" || key === "__proto__") continue;
      const what = typeof key === "symbol" ? key.description : key;
      if (typeof value === "function") {
        const replacement = function (...args) {
          record(what);
          return new.target ? construct(value, args) : apply(value, this, args);
        };
        plan.push([target, key, { __proto__: null, value: replacement, writable: true, configurable: true }]);
      } else if (get) {
        const replacement = function () {
          record(what);
          return apply(get, this, []);
        };
        plan.push([target, key, { __proto__: null, get: replacement, set, configurable: true }]);
      }
    }
  }
  const planted = [
    "0", "1", "2", "value", "get", "set", "enumerable", "writable", "room", "depth", "fatal", "stream", "transfer",
    "maxByteLength", "level", "label", "done", "next", "then", "cause", "errors", "key", "convert", "fallback",
    "required", "capture", "once", "passive", "signal", "handleEvent", "bubbles", "detail", "removed", "ports", "data", "startTime", "duration", "start", "end", "entryTypes", "buffered", "type",
    "body", "headers", "method", "status", "statusText", "lastModified", "mode", "duplex", "referrer", "location", "href",
    "clone", "cancel", "pull", "start", "size", "highWaterMark", "autoAllocate", "mimeType", "blob", "integrity",
    "protocol", "hostname", "pathname", "search", "baseURL", "ignoreCase", "input", "groups", "pattern", "names", "kind",
    "iv", "hash", "salt", "info", "public", "namedCurve", "kty", "alg", "ext", "key_ops", "oth", "parameters", "members",
    "code", "reason", "wasClean", "message", "weight",
  ];
  for (const key of planted) {
    plan.push([Object.prototype, key, {
      __proto__: null,
      configurable: true,
      get() { record("Object.prototype." + key); },
      set(value) {
        record("Object.prototype." + key);
        defineProperty(this, key, { __proto__: null, value, writable: true, configurable: true, enumerable: true });
      },
    }]);
  }
  for (const name of names) {
    const value = globalThis[name];
    plan.push([globalThis, name, { __proto__: null, configurable: true, get() { record(name); return value; } }]);
  }

  for (let i = 0; i < plan.length; i++) {
    const step = plan[i];
    defineProperty(step[0], step[1], step[2]);
  }
  recording = true;
  let found;
  try {
    found = use();
  } catch (error) {
    found = error;
  }
  recording = false;
  for (let i = 0; i < planted.length; i++) delete Object.prototype[planted[i]];
  if (found !== expected) reached[reached.length] = "another result: " + found;
  return Object.setPrototypeOf(reached, Array.prototype);
})();
