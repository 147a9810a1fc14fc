"""The data of locales: how much of it is kept."""

from __future__ import annotations

import gc

from sandbox import Sandbox
from sandbox.intl.data import MAX_LOADED, Locale, available

_PROGRAM = """
(tag) => [
  new Intl.NumberFormat(tag).format(1.5), new Intl.DateTimeFormat(tag).format(0), new Intl.PluralRules(tag).select(1),
  new Intl.ListFormat(tag).format(["a", "b"]), new Intl.RelativeTimeFormat(tag).format(1, "day"),
  new Intl.DisplayNames(tag, { type: "region" }).of("DE"), "a".localeCompare("b", tag),
].length
"""


def test_a_program_that_goes_through_locales_leaves_few_of_them() -> None:
    """One holds a megabyte or two of the host's memory."""
    with Sandbox() as box:
        use = box.eval(_PROGRAM)
        for name in [*available()][: 4 * MAX_LOADED]:
            assert use(name) == 7
    gc.collect()

    assert sum(type(value) is Locale for value in gc.get_objects()) <= MAX_LOADED
