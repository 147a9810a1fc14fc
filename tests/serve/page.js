// A site of one page: what the page asks of it, and the page itself.
const seen = {pulls: 0, cancelled: null, aborted: 0};
const text = new TextEncoder();
const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

const PAGE = `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>A sandbox</title>
<style>
  body { font: 16px/1.5 sans-serif; margin: 2rem; color: #223 }
  img { width: 256px; height: 256px; image-rendering: pixelated; border: 1px solid #889 }
  dt { font-weight: bold } dd { margin: 0 0 .5rem 1rem; font-family: monospace }
</style></head><body>
<h1>Served by a sandbox</h1>
<img id="picture" src="/picture" alt="red grows to the right, green downwards">
<dl id="log"></dl>
<script>
  const log = (name, value) => {
    const term = document.createElement("dt"), text = document.createElement("dd");
    term.textContent = name;
    text.textContent = JSON.stringify(value);
    document.getElementById("log").append(term, text);
    return value;
  };
  const asked = {
    async text() { return await (await fetch("/hello?a=%2F%C3%BC")).text(); },
    async stream() {
      let first, count = 0, all = "";
      const response = await fetch("/ticks");
      for (const reader = response.body.getReader(), decoder = new TextDecoder(); ;) {
        const {done, value} = await reader.read();
        if (done) break;
        count++;
        all += decoder.decode(value, {stream: true});
        first ??= (await (await fetch("/seen")).json()).pulls;
      }
      return {all, several: count > 1, first};
    },
    async abort() {
      const controller = new AbortController();
      const response = await fetch("/endless", {signal: controller.signal});
      await response.body.getReader().read();
      controller.abort();
      for (;;) {
        const {cancelled} = await (await fetch("/seen")).json();
        if (cancelled !== null) return cancelled;
        await new Promise((done) => setTimeout(done, 10));
      }
    },
    async abortBefore() {
      const answer = fetch("/never", {signal: AbortSignal.timeout(50)});
      const name = await answer.catch((error) => error.name);
      for (;;) {
        const {aborted} = await (await fetch("/seen")).json();
        if (aborted > 0) return name;
        await new Promise((done) => setTimeout(done, 10));
      }
    },
    async upload(size) {
      const bytes = new Uint8Array(size).map((_, index) => index % 251);
      const back = new Uint8Array(await (await fetch("/echo", {method: "POST", body: bytes})).arrayBuffer());
      return back.length === size && back.every((byte, index) => byte === index % 251);
    },
    async uploadStream() {
      let left = 5;
      const body = new ReadableStream({
        async pull(controller) {
          await new Promise((done) => setTimeout(done, 5));
          if (left-- === 0) controller.close();
          else controller.enqueue(new TextEncoder().encode("part " + left + ";"));
        },
      });
      return await (await fetch("/echo", {method: "POST", body, duplex: "half"})).text();
    },
    async form() {
      const form = new FormData();
      form.append("name", "Ada");
      form.append("file", new File(["a,b\\n1,2\\n"], "t\\u00e4ble.csv", {type: "text/csv"}));
      return await (await fetch("/form", {method: "POST", body: form})).json();
    },
    async cookies() {
      await fetch("/login", {method: "POST"});
      const response = await fetch("/headers", {headers: {"X-Asked": "yes"}});
      return {seen: await response.json(), readable: document.cookie, answered: response.headers.get("x-answered")};
    },
    async missing() {
      const response = await fetch("/nowhere");
      return [response.status, response.statusText, await response.text()];
    },
    // Who ends it: the program, or the page once it has all it sent.
    socket(closes) {
      const said = [];
      const socket = new WebSocket(location.href.replace(/^http/, "ws") + "socket", ["chat", "other"]);
      socket.binaryType = "arraybuffer";
      return new Promise((done, failed) => {
        socket.onopen = () => {
          socket.send("gr\\u00fc\\u00df dich");
          socket.send(new Uint8Array([1, 2, 255]));
          socket.send("x".repeat(200000));
          if (closes === "program") socket.send("bye");
        };
        socket.onmessage = ({data}) => {
          said.push(typeof data === "string" ? (data.length > 99 ? data.length : data) : [...new Uint8Array(data)]);
          if (closes === "page" && said.length === 3) socket.close(4000, "as asked");
        };
        socket.onclose = ({code, reason, wasClean}) => done({said, protocol: socket.protocol, code, reason, wasClean});
        socket.onerror = failed;
      });
    },
    async picture() {
      const image = document.getElementById("picture");
      await image.decode();
      const canvas = document.createElement("canvas");
      [canvas.width, canvas.height] = [image.naturalWidth, image.naturalHeight];
      const context = canvas.getContext("2d");
      context.drawImage(image, 0, 0);
      return [[0, 0], [63, 0], [0, 63], [20, 40]].map(([x, y]) => [...context.getImageData(x, y, 1, 1).data]);
    },
  };
  const ask = async (name, ...values) => log(name, await asked[name](...values));
</script></body></html>`;

/** A PNG of 64 by 64 pixels: red grows to the right, green downwards. */
async function picture() {
  const size = 64;
  const lines = new Uint8Array(size * (1 + size * 3));
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) lines.set([x * 4, y * 4, 128], y * (1 + size * 3) + 1 + x * 3);
  }
  const crc = (bytes) => {
    let rest = -1;
    for (const byte of bytes) {
      rest ^= byte;
      for (let bit = 0; bit < 8; bit++) rest = (rest >>> 1) ^ (rest & 1 ? 0xedb88320 : 0);
    }
    return ~rest;
  };
  const chunk = (name, data) => {
    const bytes = new Uint8Array(12 + data.length);
    const view = new DataView(bytes.buffer);
    view.setUint32(0, data.length);
    bytes.set(text.encode(name), 4);
    bytes.set(data, 8);
    view.setInt32(8 + data.length, crc(bytes.subarray(4, 8 + data.length)));
    return bytes;
  };
  const packed = new Blob([lines]).stream().pipeThrough(new CompressionStream("deflate"));
  return new Blob([
    new Uint8Array([137, 80, 78, 71, 13, 10, 26, 10]),
    chunk("IHDR", new Uint8Array([0, 0, 0, size, 0, 0, 0, size, 8, 2, 0, 0, 0])),
    chunk("IDAT", await new Response(packed).bytes()),
    chunk("IEND", new Uint8Array()),
  ], {type: "image/png"});
}

const stream = (next, pause) => new ReadableStream({
  async pull(controller) {
    await sleep(pause);
    const chunk = next();
    if (chunk === undefined) controller.close();
    else controller.enqueue(text.encode(chunk));
  },
  cancel(reason) { seen.cancelled = reason.name; },
}, {highWaterMark: 0});

const routes = {
  "/": () => new Response(PAGE, {headers: {"Content-Type": "text/html; charset=utf-8"}}),
  "/favicon.ico": () => new Response(null, {status: 204}),
  "/picture": async () => new Response(await picture()),
  "/hello": ({url}) => new Response("hello, " + decodeURIComponent(new URL(url).search)),
  "/ticks": () => new Response(stream(() => ++seen.pulls <= 5 ? `tick ${seen.pulls} ` : undefined, 30)),
  "/endless": () => new Response(stream(() => "x".repeat(1000), 1)),
  "/never": ({signal}) => new Promise((done) => {
    signal.addEventListener("abort", () => { seen.aborted++; done(new Response("too late")); });
  }),
  "/seen": () => Response.json(seen),
  "/echo": ({body}) => new Response(body),
  async "/form"(request) {
    const form = await request.formData();
    const file = form.get("file");
    return Response.json({name: form.get("name"), file: [file.name, file.type, file.size, await file.text()]});
  },
  "/login": () => new Response(null, {status: 204, headers: [
    ["Set-Cookie", "session=secret; HttpOnly; SameSite=Strict; Path=/"], ["Set-Cookie", "theme=dark; Path=/"],
  ]}),
  "/headers": ({headers}) => Response.json(
    {cookie: headers.get("cookie"), asked: headers.get("x-asked")}, {headers: {"X-Answered": "yes"}}),
};

serve({
  async fetch(request, server) {
    const {pathname} = new URL(request.url);
    if (pathname === "/socket") {
      const headers = {"Sec-WebSocket-Protocol": "chat"};
      return server.upgrade(request, {headers}) ? undefined : new Response("a WebSocket, please", {status: 426});
    }
    return routes[pathname]?.(request) ?? new Response("there is no such page", {status: 404});
  },
  websocket: {
    message(socket, message) {
      if (message === "bye") socket.close(4000, "as asked");
      else socket.send(message);
    },
  },
});
