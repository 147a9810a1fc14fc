"""How cost grows with size: `python -m benchmarks growth`. Ours alone; nothing may grow faster than its size."""
