"""Sandboxes by the thousand: templates that they begin with, a pool that bounds them, namespaces that are kept."""
