"""A program fills in a form in a real browser, and reaches nothing but the one shop.

python -m examples.shop_page
"""

from __future__ import annotations

import http.server
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from sandbox import Sandbox
from sandbox.browser import launch

PAGE = b"""<!doctype html><title>Orders</title>
<label>Tea <select id=tea><option>Assam<option>Sencha</select></label> <button>Order</button> <p role=status></p>
<script>
document.querySelector("button").onclick = () => setTimeout(() => {
  document.querySelector("p").textContent = "Ordered: " + tea.value;
}, 200);
</script>"""

PROGRAM = """
const { expect } = await import("sandbox:browser");
await page.goto(shop);
await page.getByLabel("Tea").selectOption("Sencha");
await page.getByRole("button", { name: "Order" }).click();
await expect(page.getByRole("status")).toHaveText("Ordered: Sencha");
const elsewhere = await page.evaluate(() => fetch("http://169.254.169.254/").catch(error => error.message));
[await page.getByRole("status").textContent(), elsewhere];
"""


class Shop(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(PAGE)

    def log_message(self, *_arguments: object) -> None:
        """Say nothing."""


@contextmanager
def shop() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Shop) as server:
        threading.Thread(target=server.serve_forever).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def main() -> None:
    with shop() as url, launch([url], private=True, executable_path=shutil.which("chromium")) as browser:
        with Sandbox(browser=browser, globals={"shop": url}) as box:
            for line in box.eval(PROGRAM):
                print(line)
        for request in browser.collected.requests:
            if request.resource_type != "other":
                print(request.method, request.resource_type, "refused" if request.is_refused else request.status)


if __name__ == "__main__":
    main()
