"""Benchmarks of the sandbox against its peers: run `python -m benchmarks --help`.

The parent process (`__main__`, `runner`) drives one worker process per engine, each in an environment of its own, and
lets them take turns so that whatever else the machine does hits all of them alike. Modules that run inside a worker
(`worker`, `fresh`, `measure`, `crowds`, `workloads`, `rows`, `engines`) use the standard library and their engine,
nothing more. `growth` measures our own engine, in this process.
"""
