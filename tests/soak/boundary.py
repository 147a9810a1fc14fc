"""Rules for what crosses to the host: its functions, iterators and objects, as `hosts.Host` has them."""

from __future__ import annotations

from typing import Final

from tests.soak.grammar import words

RULES: Final[dict[str, list[str]]] = {
    "host": [
        *words(
            "echo(@value) fail(@digits) rich(@small) keep(@function) again(@value) nested(@quoted) "
            "nested('echo(@literal)') meddle(@small) host.count host.add(@value) host.self.self.later(@small) "
            "host['@key'] wait(@value) [...@host_iterator] @host_function(@value) made(@small)(@value)"
        ),
        "echo(@value, @value, ...@array)",
        "back(@function, @value)",
        "back(() => back(() => back(@function)))",
        "back(() => { @block return @value })",
        "(host.count = @value)",
        "Promise.all([later(@value), later(@value), wait(@small)])",
    ],
    "host_function": words("echo fail later back made(@small) host.add rich count wait keep"),
    "host_promise": words("later(@value) nap(@small) failing(@value) host.later(@value) rich(5) later(@promise)"),
    "host_iterator": words("count(@small) ticks(@small) rich(7) count(@small)[Symbol.iterator]() torn(@small)"),
}
