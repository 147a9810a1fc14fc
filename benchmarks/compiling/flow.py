"""Control flow: basic blocks in the order of the bytecode, and the scopes of WebAssembly that their jumps need."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, NamedTuple

from benchmarks.compiling.bytecode import Instruction, Refused, is_jump

ENDS: Final = frozenset(
    (
        "goto",
        "goto8",
        "goto16",
        "return",
        "return_undef",
        "throw",
        "throw_error",
        "ret",
        "tail_call",
        "tail_call_method",
    )
)
MAX_BLOCKS: Final = 1000


@dataclass
class Block:
    """Instructions that are entered at the first one only."""

    number: int
    instructions: list[Instruction] = field(default_factory=list)


class Scope(NamedTuple):
    """A `loop` that begins at a block, or a `block` that ends in front of one: `target` in both cases."""

    begin: int
    end: int
    is_loop: bool
    target: int


def split(instructions: list[Instruction]) -> tuple[list[Block], dict[int, int]]:
    """Basic blocks, and which one begins at an address.

    Raises:
        Refused: A jump leads into the middle of an instruction, or there are too many blocks.
    """
    starts = {entry.at for entry in instructions}
    leaders = {0}
    for entry in instructions:
        if is_jump(entry.opcode):
            leaders |= {entry.operand, entry.next} & starts | {entry.operand}
        elif entry.opcode.name in ENDS:
            leaders |= {entry.next} & starts
    if leaders - starts:
        raise Refused("jumps that lead nowhere")
    if len(leaders) > MAX_BLOCKS:
        raise Refused("too many blocks")
    blocks: list[Block] = []
    for entry in instructions:
        if entry.at in leaders:
            blocks.append(Block(len(blocks)))
        blocks[-1].instructions.append(entry)
    return blocks, {block.instructions[0].at: block.number for block in blocks}


def successors(blocks: list[Block], at: dict[int, int]) -> list[list[int]]:
    """Where control goes after each block, the next one last; handlers of exceptions are not among them.

    Raises:
        Refused: The last one has no end.
    """
    found = []
    for block in blocks:
        last = block.instructions[-1]
        targets = []
        if is_jump(last.opcode) and last.opcode.name not in ("catch", "gosub"):
            targets.append(at[last.operand])
        if last.opcode.name not in ENDS:
            if block.number + 1 == len(blocks):
                raise Refused("it runs over its end")
            targets.append(block.number + 1)
        found.append(targets)
    return found


def _postorder(after: list[list[int]]) -> list[int]:
    done: list[int] = []
    seen = {0}
    waiting = [(0, iter(after[0]))]
    while waiting:
        number, rest = waiting[-1]
        for target in rest:
            if target not in seen:
                seen.add(target)
                waiting.append((target, iter(after[target])))
                break
        else:
            waiting.pop()
            done.append(number)
    return done


def _dominators(after: list[list[int]], order: list[int]) -> dict[int, int]:
    """Immediate dominators, by the iteration of Cooper, Harvey and Kennedy; `order` is in reverse postorder."""
    rank = {number: position for position, number in enumerate(order)}
    before: dict[int, list[int]] = {number: [] for number in order}
    for number in order:
        for target in after[number]:
            before[target].append(number)
    found = {0: 0}
    is_changed = True
    while is_changed:
        is_changed = False
        for number in order[1:]:
            best: int | None = None
            for other in before[number]:
                if other not in found:
                    continue
                if best is None:
                    best = other
                    continue
                while other != best:
                    while rank[other] > rank[best]:
                        other = found[other]
                    while rank[best] > rank[other]:
                        best = found[best]
            assert best is not None
            if found.get(number) != best:
                found[number] = best
                is_changed = True
    return found


def arrange(after: list[list[int]]) -> list[int]:
    """An order of the blocks that can be reached, in which loops begin with their head and are in one piece.

    Raises:
        Refused: There is none.
    """
    order = _postorder(after)[::-1]
    rank = {number: position for position, number in enumerate(order)}
    parents = _dominators(after, order)
    loops: dict[int, set[int]] = {}
    for number in order:
        for target in after[number]:
            if rank[target] > rank[number]:
                continue
            above = number
            while above not in (target, 0):
                above = parents[above]
            if above != target:
                raise Refused("a loop that is entered in its middle")
            loops.setdefault(target, {target})
            _members(loops[target], number, after, order)
    inside = {number: sorted((h for h in loops if number in loops[h]), key=lambda h: len(loops[h])) for number in order}
    waiting = dict.fromkeys(order, 0)
    for number in order:
        for target in after[number]:
            waiting[target] += rank[target] > rank[number]
    ready = {0}
    placed: list[int] = []
    open_loops: list[int] = []
    remaining = {head: len(members) for head, members in loops.items()}
    while ready:
        while open_loops and not remaining[open_loops[-1]]:
            open_loops.pop()
        within = loops[open_loops[-1]] if open_loops else ready
        choice = min(ready & within, default=None)
        if choice is None:
            raise Refused("a loop that is not in one piece")
        ready.discard(choice)
        placed.append(choice)
        if choice in loops:
            open_loops.append(choice)
        for head in inside[choice]:
            remaining[head] -= 1
        for target in after[choice]:
            if rank[target] > rank[choice]:
                waiting[target] -= 1
                if not waiting[target]:
                    ready.add(target)
    return placed


def _members(members: set[int], source: int, after: list[list[int]], order: list[int]) -> None:
    before: dict[int, list[int]] = {}
    for number in order:
        for target in after[number]:
            before.setdefault(target, []).append(number)
    waiting = [source]
    while waiting:
        number = waiting.pop()
        if number not in members:
            members.add(number)
            waiting += before.get(number, [])


def scopes(edges: list[tuple[int, int]]) -> list[Scope]:
    """Scopes that nest, outer ones first where they begin together; edges are between positions in the order."""
    loops: dict[int, int] = {}
    for source, target in edges:
        if target <= source:
            loops[target] = max(loops.get(target, 0), source)
    begins: dict[int, int] = {}
    for source, target in edges:
        if target > source:
            begins[target] = min(begins.get(target, source), source)
    is_changed = True
    while is_changed:
        is_changed = False
        for head, end in loops.items():
            for other, other_end in loops.items():
                if head < other <= end < other_end:
                    loops[head], is_changed = other_end, True
        for target, begin in begins.items():
            wanted = min([head for head, end in loops.items() if head <= begin <= end < target] + [begin])
            wanted = min([start for other, start in begins.items() if start < wanted < other < target] + [wanted])
            if wanted != begin:
                begins[target], is_changed = wanted, True
    found = [Scope(head, end + 1, True, head) for head, end in loops.items()]
    found += [Scope(begin, target, False, target) for target, begin in begins.items()]
    return sorted(found, key=lambda scope: (scope.begin, -scope.end, scope.is_loop))
