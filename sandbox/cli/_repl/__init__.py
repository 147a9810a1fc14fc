"""The interactive session of the command: `loop` evaluates, `dots` are its own commands, `reading` is what is typed."""
