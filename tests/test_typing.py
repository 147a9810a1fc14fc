"""What users import has types that every checker reads alike: pyright's verdict over the whole package.

It takes half a minute and needs pyright: `make types` installs and runs it. Elsewhere it is skipped.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.skipif(importlib.util.find_spec("pyright") is None, reason="pyright is not installed: make types")
@pytest.mark.timeout(300)
def test_every_public_symbol_has_a_known_type() -> None:
    command = [sys.executable, "-m", "pyright", "--verifytypes", "sandbox", "--ignoreexternal", "--outputjson"]
    # It looks into the environment of the first `python` of the path, whichever runs it.
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    environment = {**os.environ, "PATH": path}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    told = json.loads(done.stdout)["typeCompleteness"]
    unclear = {
        symbol["name"]: [each["message"] for each in symbol.get("diagnostics", [])]
        for symbol in told["symbols"]
        if symbol["isExported"] and not symbol["isTypeKnown"]
    }
    assert unclear == {}
    assert told["exportedSymbolCounts"]["withKnownType"] > 1000
    assert done.returncode == 0
