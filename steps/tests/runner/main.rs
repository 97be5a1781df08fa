//! The runner's guards: whatever a scenario does, it is either proved or red.
//!
//! | what other runners let pass | what holds it here |
//! | --- | --- |
//! | an undefined step | `nothing_by_accident::an_undefined_step_fails_and_skips_the_rest` |
//! | an ambiguous, pending or skipped step | `nothing_by_accident::every_way_not_to_pass_has_a_name_of_its_own` |
//! | tags that select nothing, an empty folder | `nothing_by_accident::an_empty_folder_and_an_empty_selection_fail` |
//! | a path without a feature, a pipe named like one | `program/refusals.rs`: `a_path_that_holds_no_feature_…`, `a_pipe_…` |
//! | a failure that is renamed before `--rerun` | `program/rerun.rs`: `a_failure_that_was_renamed_or_removed_…` |
//! | a last run that planned nothing, or died early | `program/rerun.rs`: `where_nothing_was_planned_…`, `a_run_that_d…` |
//! | `@allow.skipped`, `@retry(3)` | `lint::each_rule_finds_its_problem_at_its_line` |
//! | a step library that is not linked in | `nothing_by_accident::a_step_library_that_is_not_linked_in_cannot_be_loaded` |
//! | a scenario without steps | `nothing_by_accident::a_scenario_without_steps_fails` |
//! | a scenario without a `Then` | `lint::each_rule_finds_its_problem_at_its_line` |
//! | a step whose misspelt keyword makes it a description | `lint::a_step_that_became_a_description_…` |
//! | a `Then` in a background instead of the scenario | `program/lint.rs`: `a_background_proves_nothing_for_…` |
//! | a `When` behind the last `Then` | `program/lint.rs`: `a_deed_that_nobody_looks_at_afterwards_…` |
//! | a `Then` that looks at nothing | `nothing_by_accident::a_then_that_records_nothing_fails` |
//! | a panic in a spawned task or thread | `survival::a_panic_in_a_task_of_the_step_fails_the_step`, `…_thread_…` |
//! | a hung step, polite or blocking | `survival::a_hung_step_is_given_up_and_the_others_finish` |
//! | a step that exits the process | `cli::supervise` (unit test), `program/runs.rs`: `a_run_whose_process_is_killed_…`, `a_run_that_dies_names_…` |
//! | a process, a file or a folder that is left | `survival`: `a_process_…`, `a_file_…`, `a_folder_…`; `cli::scratch` |
//! | a command that nobody waits for | `survival::what_a_scenario_began_and_nobody_waited_for_…` |
//! | an output folder that is somebody's | `program/output.rs` |
//! | SIGINT and SIGTERM | `program/runs.rs`: `an_interrupted_run_completes_its_stream_and_leaves_no_process` |
//! | a filter instead of another, not beside it | `selection::filters_hold_together` |
//! | `@retry-budget` taken for `@retry` | `selection::a_tag_that_begins_with_retry_is_an_ordinary_tag`; the lint's: `lint::each_rule_…` |
//! | retried to green | no retries; `traceability`: a second attempt makes a goal flaky |
//! | a wrong line for a row of an outline | `selection::a_line_means_the_scenario_the_row_or_the_rule_it_stands_in` |
//! | tags of an empty rule on its neighbours | `selection::the_tags_of_an_empty_rule_are_of_no_other` |
//! | BOM, CRLF, backslash, keyword-like description | `bad_input::a_bom_windows_line_ends_…_are_legal`; `gherkin/tests/parsing.rs`: `a_byte_order_mark_and_crlf_…` |
//! | doc strings | `bad_input::a_doc_string_reaches_the_step_byte_for_byte_…` |
//! | the compatibility kit | the test target `kit` |
//! | messages of the official schema | `messages::every_message_is_valid_by_the_official_schema` |

#![expect(clippy::unwrap_used, reason = "a test that cannot set up what it needs has failed")]

mod bad_input;
mod bench;
mod lint;
mod messages;
mod nothing_by_accident;
mod selection;
mod survival;
mod world;
