"""`python -m benchmarks hostile`: the attack corpus of `tests/corpus` put to this project's sandbox and its peers."""
