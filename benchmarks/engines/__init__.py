"""Adapters, one an engine; each is imported only inside its engine's own environment.

An adapter module has two functions: `version()`, and `open_session(functions)`, which returns a `base.Session`.
"""
