"""Sandboxes in other libraries: agents, notebooks, traces and logs. Each module needs the extra that it names."""
