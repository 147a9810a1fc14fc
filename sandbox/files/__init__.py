"""What the guest's files ask: a contract of whoever keeps files, adapters that fulfil it, and the service between."""

from __future__ import annotations

from typing import Final

INSTALL: Final = "pip install 'quickjs-sandbox[fsspec]'"
