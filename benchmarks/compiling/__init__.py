"""A study: hot functions of the guest compiled to WebAssembly. `docs/compiling.md` says what came of it."""
