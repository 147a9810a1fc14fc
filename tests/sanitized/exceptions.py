"""Which of the tests that `make sanitize` runs have no meaning without WebAssembly, and why."""

from __future__ import annotations

from typing import Final

_FUEL: Final = "a process has no fuel"
_MEMORY: Final = "a process has no linear memory, and asks for its blocks one by one"
_LIES: Final = "what a guest names outside its memory ends a process, as it should"
_SLOW: Final = "a process is too slow for a program that counts milliseconds"
_COPY: Final = "a process cannot be copied"
_STACK: Final = "a process has a larger stack in proportion, and its memory ends first"

# Pattern of a file, from the top of the repository -> why nothing in it can be run, or even be collected.
FILES: Final[dict[str, str]] = {
    "tests/fuzz/test_snapshots.py": _COPY,
}

# Pattern of the test's name -> reason.
EXCEPTIONS: Final[dict[str, str]] = {
    "tests/fuzz/test_out_of_memory.py::test_an_allocation_that_fails_anywhere[[]errors]": _MEMORY,
    "tests/guest/test_compression.py::test_one_that_is_not_finished_is_a_part_of_a_checkpoint": _COPY,
    "tests/guest/test_crypto.py::TestCryptoKey::test_its_secret_is_nowhere_in_the_guest": _MEMORY,
    "tests/guest/test_fast_append.py::test_it_costs_*": _FUEL,
    "tests/guest/test_fast_paths.py::test_an_assignment_that_a_proxy_below_makes_again_ends_in_an_error": _STACK,
    "tests/guest/test_fast_paths.py::test_keys_of_maps_are_spread*": _FUEL,
    "tests/guest/test_fast_regexps.py::test_pieces_*": _FUEL,
    "tests/guest/test_kept_chars.py::test_they_survive_what_is_restored_and_forked": _COPY,
    "tests/guest/test_name_index.py::test_four_times_as_many_names_are_four_times_as_much_work*": _FUEL,
    "tests/guest/test_regexp_sets.py::test_what_can_be_told_by_one_character_*": _FUEL,
    "tests/guest/test_streams.py::test_a_long_queue_is_let_go_without_recursion": _SLOW,
    "tests/guest/test_time_zone.py::test_a_rollback_keeps_the_zone": _COPY,
    "tests/test_functions.py::TestAsync::test_but_not_wait_for_it": _SLOW,
    "tests/test_functions.py::TestGuestFunctions::test_a_call_has_a_time_and_fuel_of_its_own": _FUEL,
    "tests/test_guest.py::test_a_crash_below_a_host_function_*": _FUEL,
    "tests/test_guest.py::test_no_fuel_*": _FUEL,
    "tests/test_guest.py::test_the_same_program_takes_the_same_fuel*": _FUEL,
    "tests/test_instance.py::test_a_closed_instance_shows_nobody_elses_memory": _MEMORY,
    "tests/test_instance.py::test_a_control_block_full_of_lies_poisons*": _LIES,
    "tests/test_instance.py::test_a_guest_with_garbage_in_all_of_its_heap_harms_nobody": _LIES,
    "tests/test_instance.py::test_a_request_outside_memory_*": _LIES,
    "tests/test_instance.py::test_a_trap_has_a_code_and_ends_the_instance": _FUEL,
    "tests/test_instance.py::test_an_inbox_*": _LIES,
    "tests/test_instance.py::test_an_uncaught_exception_of_no_kind_is_an_event": _MEMORY,
    "tests/test_instance.py::test_frames_that_*": _MEMORY,
    "tests/test_instance.py::test_memory_limit_of_a_message": _MEMORY,
    "tests/test_instance.py::test_ranges_*": _LIES,
    "tests/test_memory.py::test_running_out_inside_the_url_parser_is_the_same_error": _MEMORY,
    "tests/test_memory.py::test_small_programs_do_not_grow_memory": _MEMORY,
    "tests/test_modules.py::test_budgets*FuelLimitExceeded]": _FUEL,
    "tests/test_modules.py::test_a_load_goes_on_for_others_when_who_asked_first_is_gone*": _SLOW,
    "tests/test_modules.py::test_chains_that_are_too_long*": _STACK,
    "tests/test_promises.py::test_a_rejection_nobody_handles": _SLOW,
    "tests/test_recursion.py::test_it_ends_in_an_error[[]calls with arguments]": _STACK,
}

# Pattern of the test's name -> why what is lost in it does not fail it; every other report does.
LOSSES: Final[dict[str, str]] = {
    "tests/fuzz/test_out_of_memory.py::test_memory_that_runs_out_in_the_compiler*": (
        "a compiler that ran out of memory loses names, so that it frees none twice (wasm/upstream.toml)"
    ),
}
