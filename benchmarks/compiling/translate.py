"""One function's bytecode to the body of one WebAssembly function.

Operands live in wasm locals and are copied late: reading a variable costs nothing until somebody has to own the value.
Variables that no closure shares live in locals as well. At the borders of blocks all operands are boxed and owned.
Whatever is not translated, and every exception, writes all of it into the frame and lets the interpreter go on.

Types are found by translating again until what is known at the beginning of every block holds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from benchmarks.compiling import values as v
from benchmarks.compiling.bytecode import Function, Instruction, Refused, check_operands, decode, numbers
from benchmarks.compiling.code import F64, I32, I64, Code, Label
from benchmarks.compiling.flow import ENDS, arrange, scopes, split, successors
from benchmarks.compiling.helpers import INDEX
from benchmarks.compiling.values import Entry

if TYPE_CHECKING:
    from benchmarks.compiling.layout import Layout

FRAME: Final = 0  # the parameter
DONE, THREW, LEFT = range(3)
MAX_PASSES: Final = 30
MAX_OUTPUT_BYTES: Final = 256 << 10  # Cranelift takes more than linear time, and nothing interrupts it

Emit = Callable[["Translator", Instruction], None]
EMITTERS: dict[str, Emit] = {}


def emits(*names: str) -> Callable[[Emit], Emit]:
    """Registers what translates these instructions."""

    def register(function: Emit) -> Emit:
        for name in names:
            EMITTERS[name] = function
        return function

    return register


@dataclass
class State:
    """What is known where a block begins: masks of variables and operands."""

    variables: list[int]
    stack: list[int]


class Translator:
    """Translates one function; `translate` is what others call."""

    def __init__(self, function: Function, layout: Layout) -> None:
        self.function, self.layout = function, layout
        instructions = decode(function.code)
        check_operands(function, instructions)
        self.blocks, self.at = split(instructions)
        after = successors(self.blocks, self.at)
        self.order = arrange(after)
        self.rank = {number: position for position, number in enumerate(self.order)}
        self.scopes = scopes([(self.rank[a], self.rank[b]) for a in self.order for b in after[a]])
        self.numbers = numbers()
        written = {
            entry.operand
            for block in self.blocks
            for entry in block.instructions
            if entry.opcode.name.rstrip("0123") in ("put_arg", "set_arg")
        }
        special = {e.operand for b in self.blocks for e in b.instructions if e.opcode.name == "special_object"}
        has_mapped = bool(special & {0, 1})
        first = {index for index in range(function.arguments) if index in function.captured or index in written}
        self.stored_arguments = set(range(function.arguments)) if has_mapped else first
        self.copies = bool(self.stored_arguments)
        self.stored_variables = {i - function.arguments for i in function.captured if i >= function.arguments}
        start = State([v.NONE] * function.variables, [])
        self.states: dict[int, State] = {0: start}
        self.left: set[str] = set()
        self.loaded: set[int] = set()  # of the frame's fields, those that the last pass has read

    def translate(self) -> tuple[bytes, int]:
        """The entry of the code section, and how many inline caches it uses.

        Raises:
            Refused: It cannot be compiled.
        """
        for _ in range(MAX_PASSES):
            self.is_stable = True
            self._pass()
            if not self.code.read & self.bases <= self.loaded:
                self.is_stable = False
            self.loaded = self.code.read & self.bases
            if self.is_stable:
                data = self.code.encode()
                if len(data) > MAX_OUTPUT_BYTES:
                    raise Refused("too much code")
                return data, self.caches
        raise Refused("types that do not settle")

    def _pass(self) -> None:
        self.code = code = Code()
        self.caches = 0
        self.left = set()
        self.ctx, self.base, self.stack_base = code.local(I32), code.local(I32), code.local(I32)
        self.arguments, self.locals_base, self.cache_base = code.local(I32), code.local(I32), code.local(I32)
        self.captured = code.local(I32)
        self.bases = set(range(self.ctx, self.captured + 1))
        self.exit_status, self.exit_pc, self.exit_depth = code.local(I32), code.local(I32), code.local(I32)
        self.slots = [code.local(I64) for _ in range(self.function.stack)]
        self.variables = [code.local(I64) for _ in range(self.function.variables)]
        self.argument_locals = [code.local(I64) for _ in range(self.function.arguments)]
        self._prologue()
        self.exit = code.block()
        self._body()
        code.op("unreachable")
        code.end()
        self._epilogue()

    def _prologue(self) -> None:
        code, at = self.code, self.layout
        for offset, local in (
            (at.f_ctx, self.ctx),
            (at.f_code, self.base),
            (at.f_stack, self.stack_base),
            (at.f_arguments, self.arguments),
            (at.f_variables, self.locals_base),
            (at.f_caches, self.cache_base),
            (at.f_captured, self.captured),
        ):
            if local in self.loaded:
                code.get(FRAME)
                code.memory("i32.load", offset)
                code.set(local)
        for index, local in enumerate(self.argument_locals):
            if index not in self.stored_arguments:
                code.get(FRAME)
                code.memory("i32.load", at.f_arguments)
                code.memory("i64.load", 8 * index)
                code.set(local)
        for index, local in enumerate(self.variables):
            if index not in self.stored_variables:
                code.i64(v.UNDEFINED)
                code.set(local)

    def _epilogue(self) -> None:
        """Where all exits end: the frame gets what the locals hold, and the interpreter takes it."""
        code, at = self.code, self.layout
        base, stack = code.local(I32), code.local(I32)
        for offset, local in ((at.f_variables, base), (at.f_stack, stack)):
            code.get(FRAME)
            code.memory("i32.load", offset)
            code.set(local)
        for index, local in enumerate(self.variables):
            if index not in self.stored_variables:
                code.get(base, local)
                code.memory("i64.store", 8 * index)
        for index, local in enumerate(self.slots):
            code.get(stack, local)
            code.memory("i64.store", 8 * index)
        code.get(FRAME, FRAME)
        code.memory("i32.load", at.f_code)
        code.get(self.exit_pc)
        code.op("i32.add")
        code.memory("i32.store", at.f_pc)
        code.get(FRAME, stack, self.exit_depth)
        code.op("i32.add")
        code.memory("i32.store", at.f_sp)
        code.get(self.exit_status)

    # --- blocks ---

    def _body(self) -> None:
        code = self.code
        opened: list[tuple[int, bool]] = []  # where the scope ends
        self.heads: dict[int, Label] = {}
        self.ends: dict[int, Label] = {}
        for position, number in enumerate(self.order):
            while opened and opened[-1][0] == position:
                opened.pop()
                code.end()
            for scope in self.scopes:
                if scope.begin == position:
                    label = code.loop() if scope.is_loop else code.block()
                    (self.heads if scope.is_loop else self.ends)[self.order[scope.target]] = label
                    opened.append((scope.end, scope.is_loop))
            state = self.states.get(number)
            if state is not None:
                self._block(number, state)
        while opened:
            opened.pop()
            code.end()

    def _block(self, number: int, state: State) -> None:
        block = self.blocks[number]
        self.masks = list(state.variables)
        self.stack = [Entry("box", self.slots[depth], mask) for depth, mask in enumerate(state.stack)]
        self.number = number
        for instruction in block.instructions:
            name = instruction.opcode.name
            emit = EMITTERS.get(name)
            if emit is None:
                self.left.add(name)
                self.leave(instruction)
                return
            emit(self, instruction)
        last = block.instructions[-1]
        if last.opcode.name not in ENDS:
            self.settle()
            self.jump(last, number + 1)

    def is_back(self, target: int) -> bool:
        """Whether going to a block closes a loop."""
        return self.rank[target] <= self.rank[self.number]

    def jump(self, instruction: Instruction, target: int) -> None:
        """Go to a block after an instruction; the operands are settled."""
        self.join(target)
        if self.is_back(target):
            self.poll(instruction)
            self.code.br(self.heads[target])
        elif self.rank[target] != self.rank[self.number] + 1:
            self.code.br(self.ends[target])

    def join(self, number: int) -> None:
        """Note what is known when a block is entered from here."""
        masks = [entry.mask for entry in self.stack]
        state = self.states.get(number)
        if state is None:
            self.states[number] = State(list(self.masks), masks)
            self.is_stable = False
            return
        if len(state.stack) != len(masks):
            raise Refused("operands that differ")
        variables = [old | new for old, new in zip(state.variables, self.masks, strict=True)]
        stack = [old | new for old, new in zip(state.stack, masks, strict=True)]
        if variables != state.variables or stack != state.stack:
            self.states[number] = State(variables, stack)
            self.is_stable = False

    # --- operands ---

    def push(self, entry: Entry) -> None:
        """Push a value."""
        if len(self.stack) >= self.function.stack:
            raise Refused("more operands than the function says")
        self.stack.append(entry)

    def pop(self) -> Entry:
        """Pop a value."""
        if not self.stack:
            raise Refused("an operand is missing")
        return self.stack.pop()

    def top(self, depth: int = 0) -> Entry:
        """The value that so many others lie on."""
        if depth >= len(self.stack):
            raise Refused("an operand is missing")
        return self.stack[-1 - depth]

    def keep(self, kind: str, mask: int) -> Entry:
        """What is on wasm's stack, as a value in a new local."""
        local = self.code.local({"box": I64, "int": I32, "bool": I32, "float": F64}[kind])
        self.code.set(local)
        return Entry(kind, local, mask)

    def box(self, entry: Entry) -> None:
        """Put a JSValue on wasm's stack, without owning it."""
        code = self.code
        match entry.kind:
            case "const":
                code.i64(entry.number)
            case "box":
                code.get(entry.number)
            case "int":
                code.get(entry.number)
                code.op("i64.extend_i32_u")
            case "bool":
                code.get(entry.number)
                code.op("i64.extend_i32_u")
                code.i64(v.boxed(v.TAG_BOOL))
                code.op("i64.or")
            case _:
                code.get(entry.number)
                code.op("i64.reinterpret_f64")
                code.i64(-v.ADDEND)
                code.op("i64.add")
                code.i64(v.NAN)
                code.get(entry.number, entry.number)
                code.op("f64.eq", "select")

    def own(self, entry: Entry) -> None:
        """Put a JSValue on wasm's stack, with a reference of its own if the entry has none."""
        self.box(entry)
        if not entry.is_owned and entry.mask & v.HEAP:
            self.count_up(entry.number)

    def count_up(self, local: int) -> None:
        """Add a reference to the value in a local, if it has a count."""
        code = self.code
        code.get(local)
        code.i64(v.HEAP_MIN)
        code.op("i64.ge_u")
        code.if_()
        self.reference(local)
        self.reference(local)
        code.memory("i32.load")
        code.i32(1)
        code.op("i32.add")
        code.memory("i32.store")
        code.end()

    def reference(self, local: int) -> None:
        """Put the address of a value's count on wasm's stack."""
        self.code.get(local)
        self.code.op("i32.wrap_i64")
        self.code.i32(-self.layout.reference_count)
        self.code.op("i32.add")

    def free(self, entry: Entry) -> None:
        """Give up a value that was popped."""
        if entry.is_counted:
            self.free_local(entry.number)

    def free_local(self, local: int) -> None:
        """Take a reference from the value in a local, if it has a count."""
        code = self.code
        count = code.local(I32)
        code.get(local)
        code.i64(v.HEAP_MIN)
        code.op("i64.ge_u")
        code.if_()
        self.reference(local)
        self.reference(local)
        code.memory("i32.load")
        code.i32(-1)
        code.op("i32.add")
        code.tee(count)
        code.memory("i32.store")
        code.get(count)
        code.i32(0)
        code.op("i32.le_s")
        code.if_()
        code.get(FRAME, local)
        code.call(INDEX["c_free"])
        code.end()
        code.end()

    def as_local(self, entry: Entry) -> int:
        """A local that holds the JSValue."""
        if entry.kind == "box":
            return entry.number
        self.box(entry)
        local = self.code.local(I64)
        self.code.set(local)
        return local

    def settle(self) -> None:
        """Bring all operands where the borders of blocks want them: boxed, owned, in the slot of their depth."""
        self.move()
        self.stack = [Entry("box", self.slots[depth], entry.mask) for depth, entry in enumerate(self.stack)]

    def move(self) -> None:
        """Bring all operands into their slots, owned; `stack` still says where they were."""
        moved = []
        for depth, entry in enumerate(self.stack):
            if entry.kind != "box" or entry.number != self.slots[depth]:
                self.own(entry)
                moved.append(self.slots[depth])
        for local in reversed(moved):
            self.code.set(local)

    # --- ways out ---

    def exit_with(self, status: int, pc: int) -> None:
        """Leave, with the operands as they are: on a path of its own, which does not come back."""
        code = self.code
        self.move()
        code.i32(status)
        code.set(self.exit_status)
        code.i32(pc)
        code.set(self.exit_pc)
        code.i32(8 * len(self.stack))
        code.set(self.exit_depth)
        code.br(self.exit)

    def leave(self, instruction: Instruction) -> None:
        """Let the interpreter go on with this instruction."""
        self.exit_with(LEFT, instruction.at)

    def throw_if(self, instruction: Instruction) -> None:
        """Leave with the exception when the i32 on wasm's stack is not 0."""
        self.code.if_()
        self.exit_with(THREW, instruction.next)
        self.code.end()

    def throw_if_exception(self, instruction: Instruction, local: int) -> None:
        """Leave when a call has returned the exception."""
        self.code.get(local)
        self.code.i64(v.EXCEPTION)
        self.code.op("i64.eq")
        self.throw_if(instruction)

    def place(self, instruction: Instruction) -> None:
        """Tell the frame where the function is: what is called may look."""
        code = self.code
        code.get(FRAME, self.base)
        code.i32(instruction.next)
        code.op("i32.add")
        code.memory("i32.store", self.layout.f_pc)

    def poll(self, instruction: Instruction) -> None:
        """Count down to the next look at the limits."""
        code, at = self.code, self.layout.ctx_interrupt
        count = code.local(I32)
        code.get(self.ctx, self.ctx)
        code.memory("i32.load", at)
        code.i32(-1)
        code.op("i32.add")
        code.tee(count)
        code.memory("i32.store", at)
        code.get(count)
        code.i32(0)
        code.op("i32.le_s")
        code.if_()
        self.place(instruction)
        code.get(FRAME)
        code.call(INDEX["c_poll"])
        self.throw_if(instruction)
        code.end()

    def done(self, entry: Entry) -> None:
        """Return a value, which was popped."""
        code = self.code
        self.own(entry)
        result = code.local(I64)
        code.set(result)
        code.get(FRAME, result)
        code.memory("i64.store", self.layout.f_ret)
        for rest in self.stack:
            self.free(rest)
        for index, local in enumerate(self.variables):
            if index not in self.stored_variables and self.masks[index] & v.HEAP:
                self.free_local(local)
        code.i32(DONE)
        code.op("return")

    def opcode(self, name: str) -> int:
        """The number of an instruction."""
        return self.numbers[name]
