"""Answers of students: each is run against tests, with its own limits, many at a time.

python -m examples.grading
"""

from __future__ import annotations

import sandbox
from sandbox import Job, Limits

CASES = [([3, 1, 2], [1, 2, 3]), ([], []), ([10, 9, 1], [1, 9, 10])]
CHECK = """
function check(cases) {
  for (const [list, wanted] of cases) {
    if (String(sorted(list)) !== String(wanted)) throw new Error(`sorted([${list}]) gives [${sorted(list)}]`);
  }
}
"""
ANSWERS = {
    "Ada": "const sorted = list => list.toSorted((a, b) => a - b)",
    "Bob": "const sorted = list => list.toSorted()",
    "Cem": "const sorted = list => { while (true) {} }",
    "Dan": "const sorted = list => {",
    "Eve": "const sorted = list => list.length ? sorted(list.concat(list)) : []",
}


def main() -> None:
    limits = Limits(cpu_seconds=0.2, memory_bytes=16 << 20)
    jobs = [Job(f"{answer}\n;{CHECK}", function="check", args=[CASES], limits=limits) for answer in ANSWERS.values()]
    for name, result in zip(ANSWERS, sandbox.map(jobs, workers=2), strict=True):
        verdict = "right" if result.error is None else f"{type(result.error).__name__}: {result.error}".split(". ")[0]
        print(f"{name}: {verdict}")


if __name__ == "__main__":
    main()
