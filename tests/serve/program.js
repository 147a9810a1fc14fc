// A route for each thing that a served program does.
const text = new TextEncoder();
globalThis.seen = {aborts: 0, cancelled: null, pulls: 0, count: 0};

const chunks = (list, pause = () => undefined) => {
  let i = 0;
  return new ReadableStream({
    async pull(controller) {
      seen.pulls++;
      await pause();
      if (i === list.length) controller.close();
      else if (list[i] instanceof Error) throw list[i];
      else controller.enqueue(text.encode(list[i++]));
    },
    cancel(reason) { seen.cancelled = reason.name; },
  }, {highWaterMark: 0});
};
const sleep = (ms) => new Promise((done) => setTimeout(done, ms));

const routes = {
  hello: (request) => new Response(`${request.method} ${request.url} ${request.headers.get("x-a")}`, {
    status: 201, statusText: "Made", headers: {"X-B": "b"},
  }),
  echo: async (request) => new Response(await request.bytes(), {headers: {"Content-Type": "application/octet-stream"}}),
  count: async (request) => {
    let bytes = 0;
    let largest = 0;
    for await (const chunk of request.body) {
      bytes += chunk.length;
      largest = Math.max(largest, chunk.length);
    }
    return Response.json({bytes, largest});
  },
  nobody: (request) => new Response(String(request.body) + JSON.stringify(request.headers.get("content-type"))),
  unread: () => new Response("I did not look"),
  later: (request) => {
    const body = request.body;
    return new Response(new ReadableStream({
      async pull(controller) {
        await sleep(150);
        controller.enqueue(text.encode(await new Response(body).text()));
        controller.close();
      },
    }));
  },
  stream: () => new Response(chunks(["one", "two", "three"])),
  breaks: () => new Response(chunks(["one", "two", new Error("broken off")])),
  endless: () => new Response(chunks(Array(1e6).fill("x".repeat(1000)))),
  paused: () => new Response(chunks(["a", "b", "c", "d", "e"], () => sleep(30))),
  badStart: () => new Response(new ReadableStream({async start() { throw new TypeError("bad start"); }})),
  text: () => new Response("x".repeat(2_000_000)),
  big: () => new Response(new Uint8Array(7_000_000).fill(7)),
  status: (request, server, query) => new Response(null, {status: Number(query)}),
  cookies: () => new Response("", {headers: [["Set-Cookie", "a=1"], ["Set-Cookie", "b=2"], ["set-cookie", "c=3"]]}),
  nothing: () => undefined,
  wrong: () => ({status: 200}),
  used: async () => {
    const response = new Response("x");
    await response.text();
    return response;
  },
  failure: () => Response.error(),
  throws: function thrower() { throw new RangeError("out of it"); },
  rejects: async () => { await null; throw new TypeError("later"); },
  hangs: () => new Promise(() => {}),
  spins: () => { seen.count++; for (;;); },
  slow: async (request, server, query) => { await sleep(Number(query)); return new Response(query); },
  aborts: (request) => new Promise((resolve) => {
    AbortSignal.any([request.signal]).addEventListener("abort", () => { seen.any = true; });
    request.signal.addEventListener("abort", () => { seen.aborts++; resolve(new Response("too late")); });
    seen.waits = true;
  }),
  ignores: async (request) => { request.signal; await sleep(60); seen.finished = true; return new Response("done"); },
  counter: () => new Response(String(++seen.count)),
  upgrade: (request, server) => new Response(String(server.upgrade(request, {data: 1})), {status: 426}),
  headers: () => new Response("x", {headers: {
    Connection: "close", "Transfer-Encoding": "chunked", "Content-Length": "999", "X-Keep": "yes",
  }}),
  short: () => new Response(chunks(["12345"]), {headers: {"Content-Length": "10"}}),
  long: () => new Response(chunks(["12345", "67890"]), {headers: {"Content-Length": "5"}}),
  exact: () => new Response(chunks(["12345", "67890"]), {headers: {"Content-Length": "10"}}),
};

serve({
  fetch(request, server) {
    const {pathname, search} = new URL(request.url);
    if (pathname === "/socket") {
      const kind = search.slice(1);
      const data = {kind, n: 0, log: []};
      if (!server.upgrade(request, {data, headers: {"X-Socket": "yes", "Sec-WebSocket-Protocol": "chat"}})) {
        return new Response("no WebSocket", {status: 426});
      }
      if (kind === "fails") throw new Error("after the upgrade");
      return undefined;
    }
    if (pathname === "/refuse") return new Response("not you", {status: 403});
    return routes[pathname.slice(1)](request, server, search.slice(1));
  },
  websocket: {
    open(socket) {
      if (socket.data.kind === "greet") socket.send("hello");
      if (socket.data.kind === "ticks") socket.data.timer = setInterval(() => socket.send("tick"), 20);
      if (socket.data.kind === "flood") {
        const message = "x".repeat(100_000);
        while (socket.send(message) > 0) socket.data.n++;
        seen.flood = [socket.data.n, socket.send(message)];
      }
    },
    async message(socket, message) {
      socket.data.n++;
      if (message === "close") socket.close(4001, "as asked");
      else if (message === "throw") throw new Error("thrown");
      else if (message === "spin") for (;;);
      else if (message === "slow") { await sleep(50); socket.send("slow"); } else socket.send(message);
    },
    close(socket, code, reason) {
      clearInterval(socket.data.timer);
      seen.closed = [socket.data.n, code, reason, socket.readyState, socket.send("x")];
    },
    error(socket, error) {
      if (error.message === "thrown") throw error;
      seen.error = error.message;
    },
    drain(socket) { seen.drained = true; },
  },
});
