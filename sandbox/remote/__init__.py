"""Sandboxes in another process or on another machine: the protocol, the daemon, and what connects to it."""
