"""`make reliability`: run the tests of every promise, the long ones too, and write down what they tried.

The table stands in docs/reliability.md between two marks. What a test tries is its cases, or what it says itself with
`record_property("tried", n)`.
"""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent  # not conftest's: pytest must be the first to import that
PAGE = REPOSITORY / "docs" / "reliability.md"
MARKS = "<!-- table: made by `make reliability` -->\n", "<!-- end of the table -->\n"


@dataclass(frozen=True)
class Promise:
    """What a user may rely on.

    Attributes:
        text: In a sentence or two.
        unit: What is counted.
        file: Test file.
        tests: Its tests that show it; one of another file with that file and `::` before its name.
    """

    text: str
    unit: str
    file: str
    tests: tuple[str, ...]

    @property
    def ids(self) -> list[str]:
        """The tests by file and name, as pytest knows them."""
        return [name if "::" in name else f"{self.file}::{name}" for name in self.tests]


CHECKPOINT, RESUME = "tests/training/test_checkpoint.py", "tests/training/test_resume.py"
RUNDIR, LOOP = "tests/training/test_rundir.py", "tests/training/test_loop.py"
FAULTS, THREATS = "tests/test_faults.py", "tests/test_threats.py"
PROMISES = [
    Promise(
        "A run that is stopped and taken up ends in the bytes of one that never was: weights, logs, predictions, "
        "scores; for every task, full, head and last-N, accumulation, early stopping, kept states, packed and padded "
        "rows, gradient checkpointing",
        "settings, 4 stops each",
        RESUME,
        ("test_a_run_that_is_stopped_often_ends_in_the_same_bytes",),
    ),
    Promise(
        "The same after SIGKILL at random moments",
        "sequences of 5 kills",
        RESUME,
        ("test_a_run_that_is_killed_ends_in_the_same_bytes", "test_many_kills"),
    ),
    Promise(
        "The same when a process dies before or after it makes, opens, renames or removes any file or folder of a "
        "whole run; nothing half made remains, in the run's folder and in that of the kept states",
        "deaths",
        FAULTS,
        (
            "test_a_run_that_dies_at_a_file_ends_in_the_same_bytes",
            "test_a_run_that_dies_at_any_file_ends_in_the_same_bytes",
        ),
    ),
    Promise(
        "A checkpoint is complete or absent, and the older one stays until then",
        "places",
        CHECKPOINT,
        ("test_a_save_that_dies_at_any_file_leaves_the_old_one",),
    ),
    Promise(
        "A damaged checkpoint is named and skipped, and the newest whole one is taken",
        "kinds of damage to 5 files",
        CHECKPOINT,
        (
            "test_a_damaged_checkpoint_is_named_and_skipped",
            "test_files_of_two_checkpoints_do_not_mix",
            "test_a_run_goes_on_from_the_newest_checkpoint_that_is_whole",
        ),
    ),
    Promise(
        "A log is what it was, whatever a dying run left at its end; other damage is an error with file and line",
        "cuts and broken lines",
        RUNDIR,
        (
            "test_a_log_is_what_it_was_or_its_damage_is_named",
            "test_a_damaged_line_in_the_middle_is_an_error_with_its_number",
            f"{RESUME}::test_what_a_dying_run_wrote_after_its_checkpoint_goes",
        ),
    ),
    Promise(
        "A file that finds no room (a limit of the system, not an injected error) stops the run with its path and what "
        "is free; the last checkpoint stays, and the same command goes on. Kept states cost no more than time",
        "files",
        FAULTS,
        (
            "test_a_file_that_finds_no_room_stops_the_run_and_is_named",
            "test_a_later_checkpoint_that_finds_no_room_leaves_the_one_before",
            "test_kept_states_that_find_no_room_cost_nothing_but_time",
        ),
    ),
    Promise(
        "A disk without room for two checkpoints, or one and the model, is refused before the training",
        "refusals",
        "tests/training/test_run.py",
        ("test_a_run_without_room_for_its_checkpoints_is_refused_before_it_begins",),
    ),
    Promise(
        "A folder that can't be written to is refused at once, together with everything else that is wrong",
        "refusals",
        FAULTS,
        ("test_a_folder_without_rights_is_refused_at_once",),
    ),
    Promise(
        "SIGINT ends with 130, SIGTERM with 143, after the step and a checkpoint",
        "signals to real processes",
        "tests/cli/test_signals.py",
        ("test_a_signal_leaves_a_checkpoint",),
    ),
    Promise(
        "Signals, SIGHUP too, are heard in the long parts that have no steps (tokens, frozen part, validation, final "
        "scores), at most a second and a batch after they came",
        "signals",
        FAULTS,
        ("test_a_signal_is_heard_in_long_parts_of_the_work",),
    ),
    Promise(
        "When nothing reads the output any more (`afina train | head`), the run stops with a checkpoint",
        "closed pipes",
        FAULTS,
        ("test_a_reader_that_has_seen_enough_costs_no_checkpoint",),
    ),
    Promise(
        "A loss or gradient that is not finite is an error that names the step and the rows; no checkpoint is spoilt",
        "runs",
        LOOP,
        ("test_a_gradient_that_is_not_finite_names_its_rows_and_spoils_no_checkpoint",),
    ),
    Promise(
        "A training whose loss has left its start for good stops with the rate, what happened and what to try; no "
        "healthy one does; what it left is not taken up in silence",
        "runs and properties",
        "tests/training/test_divergence.py",
        (
            "test_a_run_that_diverges_stops_and_says_what_to_try",
            "test_a_healthy_training_is_never_stopped",
            "test_small_healthy_runs_are_not_stopped",
            "test_what_a_diverged_run_left_is_not_taken_up_in_silence",
            "test_the_printed_cure_works",
        ),
    ),
    Promise(
        "A lack of memory takes the same step in smaller pieces, and the smaller size is kept; in an evaluation it "
        "makes that evaluation's batches smaller and nothing else",
        "kinds of error",
        LOOP,
        (
            "test_a_lack_of_memory_takes_the_same_step_in_smaller_pieces",
            "tests/training/test_trainer.py::test_memory_that_runs_out_in_an_evaluation_changes_nothing_else",
        ),
    ),
    Promise(
        "Other data, labels, weights or settings are refused with their differences, and a refusal removes nothing",
        "runs",
        RESUME,
        ("test_another_configuration_or_other_data_are_refused", "test_a_refusal_removes_nothing"),
    ),
    Promise(
        "A run goes on in the arithmetic that it was begun in, whatever a new measurement says, and on another device; "
        "what may differ in the last bits is said, and another arithmetic that is asked for is refused",
        "runs",
        RESUME,
        (
            "test_a_run_goes_on_in_the_arithmetic_that_it_was_begun_in",
            "test_a_run_from_a_gpu_goes_on_on_a_cpu_and_says_what_may_differ",
            "test_another_arithmetic_that_is_asked_for_is_refused",
        ),
    ),
    Promise(
        "A device that is not there is refused before any work, with what there is",
        "refusals",
        "tests/test_devices.py",
        (
            "test_a_device_that_is_not_there_is_refused_with_everything_else_that_is_wrong",
            "test_a_device_is_found_by_its_name",
            "test_what_is_no_name_of_a_device_is_refused",
        ),
    ),
    Promise(
        "Threads, random generators, arithmetic and the choice of kernels are a program's own again after a training, "
        "and while it has the word",
        "programs and settings",
        "tests/test_compute.py",
        (
            "test_a_program_that_trains_and_predicts_is_as_it_was",
            "test_strictly_only_kernels_run_that_give_the_same_bits",
        ),
    ),
    Promise(
        "A study that is stopped, or killed at random moments, with one trial at a time or several, ends in the "
        "summary of one that never was, and no finished trial is repeated",
        "studies",
        "tests/studies/test_kills.py",
        (
            "test_a_study_that_is_killed_ends_in_the_same_bytes",
            "test_ten_kills",
            "tests/studies/test_runner.py::test_a_stopped_study_ends_in_the_same_bytes",
            "tests/studies/test_runner.py::test_several_trials_at_a_time_give_the_same_summary",
            "tests/studies/test_runner.py::test_what_is_finished_is_read",
        ),
    ),
    Promise(
        "Two runs don't write to one folder; a dead owner holds nothing; a user's own files are no run",
        "folders",
        RUNDIR,
        (
            "test_two_runs_do_not_share_a_folder",
            "test_a_users_own_files_are_no_unfinished_run",
            "tests/test_disk.py::test_a_lock_goes_when_its_owner_is_killed",
        ),
    ),
    Promise(
        "Kept states equal states computed anew, bit by bit; damaged ones are computed again; what is half made goes",
        "settings and kinds of damage",
        "tests/model/test_states.py",
        (
            "test_a_run_from_kept_states_equals_one_without_bit_by_bit",
            "test_states_in_bf16_take_half_the_room_wherever_they_lie",
            "test_a_damaged_entry_is_computed_again",
            "test_what_is_half_made_goes_when_its_maker_stops_and_when_it_is_dead",
            "test_a_full_disk_and_little_memory_leave_nothing_behind",
        ),
    ),
    Promise(
        "A saved model's files are verified when it is loaded",
        "kinds of damage",
        "tests/test_artifact.py",
        ("test_a_file_with_other_bytes_is_refused_by_name",),
    ),
    Promise(
        "One flipped bit in any file of it is found, and any in its description",
        "files and bytes",
        THREATS,
        ("test_one_flipped_bit_in_any_file_is_refused", "test_every_bit_of_the_description_counts"),
    ),
    Promise(
        "Models of every released format load, and say what they said",
        "models",
        "tests/artifacts/test_formats.py",
        ("test_an_old_artifact_says_what_it_said",),
    ),
    Promise(
        "A model folder is data: pickles, programs and configurations that choose code or files are never opened or "
        "are refused, with the file and the cure",
        "ways to bring code",
        THREATS,
        (
            "test_an_entry_that_chooses_code_or_files_is_refused_at_any_depth",
            "test_a_tokenizer_that_names_code_is_refused",
            "test_pickles_and_programs_beside_the_weights_are_never_opened",
            "test_a_folder_with_only_a_pickle_is_refused_with_its_cure",
            "test_a_link_that_leaves_the_folder_is_refused",
            "test_only_plain_files_are_files",
        ),
    ),
    Promise(
        "Absurd sizes, headers that don't fit their file and weights that are no numbers are refused, before memory is "
        "taken where that can be known",
        "sizes, headers and values",
        THREATS,
        (
            "test_absurd_sizes_are_refused_by_name",
            "test_a_configuration_of_another_model_is_refused_before_memory_is_taken",
            "test_a_header_that_does_not_fit_its_file_is_refused",
            "test_weights_that_are_no_numbers_are_refused_by_name",
        ),
    ),
    Promise(
        "A local model is loaded without the network",
        "fresh processes",
        THREATS,
        ("test_a_folder_loads_without_the_network",),
    ),
    Promise(
        "Special tokens that are written in a text stay text",
        "families of tokenizers",
        "tests/text/test_tokenization.py",
        ("test_special_tokens_in_a_text_stay_text", "test_special_tokens_in_a_text_stay_text_for_the_embedded_model"),
    ),
    Promise(
        "Every kind of bad data is read rightly, or named with its file, line and cure, before any training",
        "files and data sets",
        "tests/data/test_bad_data.py",
        ("test_what_is_read", "test_what_is_judged", "test_the_command_says_it_and_writes_nothing"),
    ),
    Promise(
        "Every record is used, or left out because its user said so: then it is counted, and its bytes are kept",
        "properties and files",
        "tests/data/test_parts.py",
        (
            "test_every_record_is_used_or_left_out_and_its_bytes_are_kept",
            "test_what_is_left_out_is_counted_by_kind_with_a_place",
            "test_what_swallows_good_records_is_never_left_out",
            "test_a_file_of_nothing_but_bad_records_is_an_error_all_the_same",
        ),
    ),
    Promise(
        "The same seed gives the same bytes in a fresh process, whatever the folder, language, time zone, hash seed "
        "and umask; the permissions of files follow the umask",
        "pairs of processes",
        "tests/test_determinism.py",
        ("test_the_same_bytes_in_another_process",),
    ),
]


class Tally:
    """A plugin of pytest that counts what was tried, test by test."""

    def __init__(self) -> None:
        self.tried: Counter[str] = Counter()

    def pytest_runtest_logreport(self, report: Any) -> None:
        if report.when == "call" and report.passed:
            name = report.nodeid.partition("::")[2].partition("[")[0]
            self.tried[name] += dict(report.user_properties).get("tried", 1)


def table(tried: Counter[str]) -> str:
    """The promises as a table in Markdown."""
    lines = ["| promise | tests | tried |", "|---|---|---|"]
    for one in PROMISES:
        tests = ", ".join(f"`{name}`" for name in (one.ids[0], *one.tests[1:]))
        count = sum(tried[name.rpartition("::")[2]] for name in one.tests)
        lines.append(f"| {one.text} | {tests} | {count:,} {one.unit} |")
    return "\n".join(lines) + "\n"


def main() -> int:
    """Run the tests; on success write the table."""
    tally = Tally()
    chosen = [str(REPOSITORY / name) for one in PROMISES for name in one.ids]
    code = pytest.main(["-m", "slow or not slow", "-n", "2", *chosen], plugins=[tally])
    if code == 0:
        before, _, rest = PAGE.read_text(encoding="utf-8").partition(MARKS[0])
        after = rest.partition(MARKS[1])[2]
        PAGE.write_text("".join([before, MARKS[0], table(tally.tried), MARKS[1], after]), encoding="utf-8")
    return int(code)


if __name__ == "__main__":
    sys.exit(main())
