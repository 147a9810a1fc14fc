"""The commands, one file each; see `sandbox.cli._commands`."""
