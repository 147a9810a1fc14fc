"""Plug-ins: modules that customers install, each in a sandbox of its own, with hooks that the application calls.

python -m examples.plugins
"""

from __future__ import annotations

from typing import Any

from sandbox import JSFunction, Limits, Sandbox, SandboxError

PLUGINS = {
    "shout": """
        export const name = 'Shout';
        export const onMessage = message => ({...message, text: message.text.toUpperCase()});
    """,
    "count": """
        let seen = 0;
        export const name = 'Counter';
        export function onMessage(message) { seen++; host.setBadge(String(seen)); return message }
    """,
    "greedy": """
        export const name = 'Greedy';
        export function onMessage() { const all = []; for (;;) all.push('x'.repeat(1e6)) }
    """,
}


class Plugin:
    """One plug-in that is installed. What it does wrong switches it off, and nothing else."""

    def __init__(self, key: str, source: str) -> None:
        self.key, self.badge, self.problem = key, "", ""
        limits = Limits(cpu_seconds=0.1, memory_bytes=8 << 20)
        self._box = Sandbox(limits=limits, globals={"host": {"setBadge": self._set_badge}})
        exports = self._box.module(source, filename=f"{key}.mjs")
        self.name: str = exports["name"]
        self._on_message: JSFunction = exports["onMessage"]

    def _set_badge(self, text: str) -> None:
        self.badge = text[:10]

    def on_message(self, message: dict[str, Any]) -> dict[str, Any]:
        """The message as the plug-in wants it; unchanged where it fails."""
        if self.problem:
            return message
        try:
            changed = self._on_message(message)
        except SandboxError as error:
            self.problem = type(error).__name__
            return message
        return changed if isinstance(changed, dict) else message

    def close(self) -> None:
        self._box.close()


def main() -> None:
    plugins = [Plugin(key, source) for key, source in PLUGINS.items()]
    for text in ("hello", "how are you?"):
        message: dict[str, Any] = {"from": "Ada", "text": text}
        for plugin in plugins:
            message = plugin.on_message(message)
        print(message)
    for plugin in plugins:
        print(f"{plugin.name}: {plugin.problem or 'fine'} {plugin.badge}".rstrip())
        plugin.close()


if __name__ == "__main__":
    main()
