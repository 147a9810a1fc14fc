"""The interfaces of other packages, over a `Sandbox`: a program moves over by changing what it imports.

    from sandbox.compat import quickjs                  # in place of: import quickjs
    from sandbox.compat import jsrun                    # in place of: import jsrun
    from sandbox.compat.py_mini_racer import MiniRacer  # in place of: from py_mini_racer import MiniRacer

What differs is said in `docs/moving.md`. Programs that are written anew use `sandbox` itself.
"""
