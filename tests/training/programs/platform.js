// The web platform without a network: URLs, encodings, clones, events, blobs, headers, requests, responses, streams.

const PLACES = [
  "https://user:pw@example.com:8443/a/b/../c%20d?x=1&y=two%20words&x=3#part", "http://EXAMPLE.org:80/",
    "file:///tmp/a.txt",
  "https://bücher.example/straße?q=ü", "mailto:someone@example.com", "data:text/plain,hello",
    "http://[::1]:3000/x?y#z", "https://10.1.2.3/p;q=1",
];

function addresses() {
  const out = [];
  for (const place of PLACES) {
    const url = new URL(place);
    out.push(url.href, url.origin, url.host, url.pathname, url.search, url.hash, url.port, url.protocol);
    url.searchParams.append("added", "a b&c=ü");
    url.searchParams.delete("x");
    url.hash = "end";
    if (url.host) { url.pathname += "/more"; url.port = "99"; }
    out.push(String(url), URL.canParse("../up?z=1", url), [...url.searchParams].length);
  }
  for (const path of ["../x/./y", "//other.example/p", "?only=query", "#frag", "/abs", "plain", "http:relative"]) {
    out.push(new URL(path, "https://base.example/dir/page.html?old").href);
  }
  for (const bad of ["", "no scheme", "http://", "https://a b/", "http://x:99999/"]) {
    try { out.push(new URL(bad).href); } catch (error) { out.push(error.name); }
  }
  return out.join(" ");
}

function queries() {
  const params = new URLSearchParams({ q: "a b", lang: "日本", page: "2" });
  for (let i = 0; i < 20; i++) params.append("tag", `t${(i * 7) % 11}&=${i}`);
  params.set("page", "3");
  params.sort();
  const copy = new URLSearchParams(params.toString() + "&empty=&plus=1+1");
  let length = 0;
  for (const [key, value] of copy) length += key.length * value.length;
  copy.forEach((value) => { length += value.charCodeAt(0) || 0; });
  return [length, params.getAll("tag").length, copy.get("plus"), copy.has("none"), copy.size, String(params).length,
    [...params.keys()].join("")].join();
}

function encodings() {
  const encoder = new TextEncoder(), decoder = new TextDecoder(), text = "plain ascii, ünïcödé, 日本語, 😀 ".repeat(6);
  const bytes = encoder.encode(text), target = new Uint8Array(50), { read, written } = encoder.encodeInto(text, target);
  const back = decoder.decode(bytes), loose = decoder.decode(new Uint8Array([72, 105, 255, 226, 130]));
  let strict = "";
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(new Uint8Array([255]));
  } catch (error) { strict = error.name; }
  const parts = new TextDecoder();
  let streamed = "";
  for (let i = 0; i < bytes.length; i += 7) streamed += parts.decode(bytes.subarray(i, i + 7), { stream: true });
  streamed += parts.decode();
  const wide = new TextDecoder("utf-16le").decode(new Uint16Array([72, 233, 0x65e5])),
    old = new TextDecoder("latin1").decode(bytes.slice(14, 20));
  const packed = btoa(String.fromCharCode(...bytes.subarray(0, 90))), raw = atob(packed);
  const hex = Array.from(bytes.subarray(0, 40), (b) => b.toString(16).padStart(2, "0")).join("");
  return [bytes.length, read, written, back === text, loose, strict, streamed === text, wide, old, packed, raw.length,
    hex, btoa("") + atob(" aGk= ")].join();
}

function clones() {
  const shared = { deep: [1, { two: 2 }] };
  const value = { date: new Date(864e5), map: new Map([["k", shared], [1, new Set([1, "x"])]]), again: shared,
    regexp: /a+/gi, error: new RangeError("e"),
    bytes: new Uint8Array([1, 2, 3]), big: 12n, nothing: undefined, none: null, odd: [NaN, -0, , 1],
      view: new DataView(new ArrayBuffer(4)) };
  value.self = value;
  const copy = structuredClone(value), records = structuredClone(Array.from({ length: 40 }, (_, i) => ({ id: i,
    tags: ["a", "b" + i], on: i % 2 === 0 })));
  let failed = "";
  try { structuredClone({ f() {} }); } catch (error) { failed = error.name; }
  const buffer = new ArrayBuffer(16), moved = structuredClone(buffer, { transfer: [buffer] });
  return [copy.self === copy, copy.map.get("k") === copy.again, copy.date.getTime(), copy.regexp.flags,
    copy.error.message, copy.bytes.join(""), copy.big, 2 in copy.odd, records[39].tags[1], failed, buffer.byteLength,
    moved.byteLength].join();
}

function events() {
  const target = new EventTarget(), log = [], controller = new AbortController();
  class Channel extends EventTarget {
    send(detail) { return this.dispatchEvent(new CustomEvent("message", { detail, cancelable: true })); }
  }
  const channel = new Channel();
  channel.addEventListener("message", ({ detail, type }) => log.push(type[0] + detail));
  channel.addEventListener("message", (event) => {
    if (event.detail % 4 === 0) event.preventDefault();
  }, { signal: controller.signal });
  channel.addEventListener("message",
    { handleEvent(event) { if (event.detail === 3) event.stopImmediatePropagation(); } });
  channel.addEventListener("message", () => log.push("once"), { once: true });
  target.addEventListener("x", function (event) {
    log.push(this === event.currentTarget, event.defaultPrevented, event.bubbles);
  });
  let sent = 0;
  for (let i = 0; i < 24; i++) { if (channel.send(i)) sent++; if (i === 12) controller.abort(); }
  target.dispatchEvent(new Event("x", { bubbles: true }));
  const { signal } = controller, any = AbortSignal.any([signal, new AbortController().signal]),
    own = AbortSignal.abort("reason");
  let thrown = "";
  try { signal.throwIfAborted(); } catch (error) { thrown = error.name; }
  return [log.join(""), sent, signal.aborted, signal.reason.name, any.aborted, own.reason, thrown].join();
}

async function bodies() {
  const blob = new Blob(["part ", new Uint8Array([116, 119, 111]), new Blob([" three é"])], { type: "text/plain" }),
    out = [blob.size, blob.type];
  out.push(await blob.text(), await blob.slice(2, 8).text(), (await blob.arrayBuffer()).byteLength);
  const headers = new Headers({ "Content-Type": "application/json", Accept: "*/*" });
  headers.append("accept", "text/html");
  headers.set("X-Custom", " padded ");
  out.push([...headers].map(([k, v]) => k + "=" + v).join(";"), headers.has("ACCEPT"), headers.get("none"));
  try { headers.append("bad name", "x"); } catch (error) { out.push(error.name); }
  const request = new Request("https://example.com/items?n=1",
    { method: "post", headers, body: JSON.stringify({ a: [1, 2] }) });
  out.push(request.method, request.url, request.headers.get("content-type"), (await request.clone().json()).a.length,
    (await request.text()).length);
  const response = new Response("line 1\nline 2", { status: 201, statusText: "Made", headers: [["X-A", "1"]] }),
    copy = response.clone();
  out.push(response.ok, response.status, response.statusText, (await response.text()).split("\n").length,
    response.bodyUsed, (await copy.arrayBuffer()).byteLength);
  out.push(Response.json({ b: 2 }).headers.get("content-type"), (await Response.json({ b: 2 }).json()).b,
    Response.error().type, Response.redirect("https://a.example/", 303).status);
  const form = new FormData();
  form.append("name", "value");
  form.append("file", new Blob(["x"]), "x.txt");
  out.push([...form].map(([k, v]) => k + (typeof v === "string" ? v : v.name)).join(),
    (await new Response(new URLSearchParams({ p: "q r" })).formData()).get("p"));
  return out.join();
}

async function pipes() {
  let next = 0;
  const numbers = () => new ReadableStream({ start() { next = 0; },
    pull(c) { if (next < 25) c.enqueue(next++); else c.close(); } });
  const scale = (by) => new TransformStream({ transform(n, c) { if (n % 3) c.enqueue(n * by); },
    flush(c) { c.enqueue(-1); } });
  let sum = 0, length = 0;
  for await (const n of numbers().pipeThrough(scale(2)).pipeThrough(scale(5))) sum += n;
  const written = [];
  await numbers().pipeTo(new WritableStream({ write(n) { written.push(n); }, close() { written.push("end"); } }));
  const [left, right] = numbers().tee(), reader = left.getReader();
  for (let part; !(part = await reader.read()).done;) length += part.value;
  for await (const n of right) { length += n; if (n > 10) break; }
  const text = await new Response(new Blob(["one two\n",
    "thrée"]).stream().pipeThrough(new TextDecoderStream()).pipeThrough(new TextEncoderStream())).text();
  const writer = new TransformStream().writable.getWriter();
  const broken = new ReadableStream({ pull() { throw new Error("pull"); } });
  const failed = await broken.getReader().read().catch((error) => error.message);
  return [sum, written.length, length, text, writer.desiredSize, failed].join();
}

async function packing() {
  const text = "compressed text, ".repeat(60) + Array.from({ length: 80 }, (_, i) => (i * i) % 97).join(), out = [];
  for (const format of ["gzip", "deflate-raw"]) {
    const packing = new Blob([text]).stream().pipeThrough(new CompressionStream(format));
    const packed = await new Response(packing).arrayBuffer(),
      stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream(format));
    out.push(packed.byteLength < text.length / 2, (await new Response(stream).text()) === text);
  }
  const digest = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)),
    random = crypto.getRandomValues(new Uint8Array(16));
  out.push(Array.from(new Uint8Array(digest), (b) => b.toString(16).padStart(2, "0")).join(""), random.length,
    crypto.randomUUID().split("-").length);
  return out.join();
}

async function run() {
  const shown = [];
  for (let round = 0; round < 11; round++) {
    shown.push(addresses(), queries(), encodings(), clones(), events(), await bodies(), await pipes());
    if (round % 3 === 0) shown.push(await packing());
  }
  const text = shown.join("|");
  let hash = 11;
  for (let i = 0; i < text.length; i++) hash = (Math.imul(hash, 31) + text.charCodeAt(i)) >>> 0;
  return hash;
}
