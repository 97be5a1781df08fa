# Not in containers: the symptoms of the runbook are made with processes, a small disk and a git.
@G2.13 @tier2 @mock
Feature: G2.13 The runbook is true
  Whoever follows docs/runbook.md gets answers: for each of its symptoms every command it names to look with answers and
  changes nothing, every file it names is there, and what it says to mend with mends.

  Background:
    Given the repository "toy-repo"
    And the plan:
      | id  | name           | writes          |
      | 001 | write-greeting | src/greeting.js |
    And the configuration:
      """
      max_retries: 0
      """
    And the doctor runs:
      """
      see_tree
      ! grep -rq BROKEN src
      """

  Scenario: Any run can be looked at
    Given the agent runs:
      """
      write src/greeting.js "a greeting"
      """
    When I run "mycelium run --run-id first"
    Then the exit code is 0
    When I look as the runbook says at "any run, to begin with"
    Then every command that the runbook says at "any run, to begin with" has answered
    And every path that the runbook says at "any run, to begin with" is there
    And looking as the runbook says at "any run, to begin with" has changed nothing

  Scenario: A run that does not start
    Given the configuration:
      """
      integration_branch: nowhere
      """
    When I run "mycelium run"
    Then the exit code is 2
    And no run was created
    When I look as the runbook says at "it does not start: exit 2"
    Then every command that the runbook says at "it does not start: exit 2" has answered
    And every path that the runbook says at "it does not start: exit 2" is there
    And looking as the runbook says at "it does not start: exit 2" has changed nothing
    When the user writes the file ".mycelium/config.yaml":
      """
      integration_branch: main
      doctor: .mycelium/doctor.sh
      """
    And I mend as the runbook says at "it does not start: exit 2"
    Then the exit code is 0
    And the run status is "complete"
    And task "001" is "landed"
    And no untested commit is on the integration branch

  Scenario: An agent that fails
    Given the agent runs:
      """
      if once broken; then echo "out of luck" >&2; usage 10 2; exit 7; fi
      write src/greeting.js "a greeting"
      """
    When I run "mycelium run --run-id first"
    Then the exit code is 1
    And the integration branch has not moved
    When I look as the runbook says at "exit 1: an agent failed"
    Then every command that the runbook says at "exit 1: an agent failed" has answered
    And every path that the runbook says at "exit 1: an agent failed" is there
    And looking as the runbook says at "exit 1: an agent failed" has changed nothing
    When I mend as the runbook says at "exit 1: an agent failed"
    Then the exit code is 0
    And the run status is "complete"
    And task "001" is "landed"
    And no untested commit is on the integration branch

  Scenario: A check of the task that fails
    Given the plan:
      | id  | name           | writes          | verify                                        |
      | 001 | write-greeting | src/greeting.js | echo looks; ! grep -rq BROKEN src/greeting.js |
    And the agent runs:
      """
      if once broken; then write src/greeting.js "BROKEN"; exit 0; fi
      write src/greeting.js "a greeting"
      """
    When I run "mycelium run --run-id first"
    Then the exit code is 1
    And the integration branch has not moved
    When I look as the runbook says at "exit 1: the task's own check fails"
    Then every command that the runbook says at "exit 1: the task's own check fails" has answered
    And every path that the runbook says at "exit 1: the task's own check fails" is there
    And looking as the runbook says at "exit 1: the task's own check fails" has changed nothing
    When I mend as the runbook says at "exit 1: the task's own check fails"
    Then the exit code is 0
    And the run status is "complete"
    And task "001" is "landed"
    And no untested commit is on the integration branch

  Scenario: A doctor that refuses the work
    Given the agent runs:
      """
      if once broken; then write src/greeting.js "BROKEN"; exit 0; fi
      write src/greeting.js "a greeting"
      """
    And the doctor runs:
      """
      see_tree
      echo looking
      ! grep -rq BROKEN src
      """
    When I run "mycelium run --run-id first"
    Then the exit code is 1
    And the stop reason is "doctor_failed"
    And the integration branch has not moved
    When I look as the runbook says at "exit 1: the doctor refuses the work"
    Then every command that the runbook says at "exit 1: the doctor refuses the work" has answered
    And every path that the runbook says at "exit 1: the doctor refuses the work" is there
    And looking as the runbook says at "exit 1: the doctor refuses the work" has changed nothing
    When I mend as the runbook says at "exit 1: the doctor refuses the work"
    Then the exit code is 0
    And the run status is "complete"
    And task "001" is "landed"
    And no untested commit is on the integration branch

  Scenario: A validator that blocks
    Given the configuration:
      """
      test_validator: {mode: block}
      """
    And the mock model answers:
      """
      {"pass": false, "summary": "no test", "issues": []}
      """
    When I run "mycelium run --run-id first"
    Then the exit code is 1
    And the stop reason is "validator_block"
    And the integration branch has not moved
    When I look as the runbook says at "exit 1: a validator blocks"
    Then every command that the runbook says at "exit 1: a validator blocks" has answered
    And every path that the runbook says at "exit 1: a validator blocks" is there
    And looking as the runbook says at "exit 1: a validator blocks" has changed nothing
    When I mend as the runbook says at "exit 1: a validator blocks"
    Then the exit code is 0
    And the run status is "complete"
    And task "001" is "landed"
    And no untested commit is on the integration branch
    And task "001" has not made more than 1 attempt

  Scenario: A manifest that blocks
    Given the configuration:
      """
      manifest_enforcement: block
      """
    And the agent runs:
      """
      write src/greeting.js "a greeting"
      if once wild; then write src/other.js "not mine"; fi
      """
    When I run "mycelium run --run-id first"
    Then the exit code is 1
    And the stop reason is "manifest_block"
    And the integration branch has not moved
    When I look as the runbook says at "exit 1: the manifest blocks"
    Then every command that the runbook says at "exit 1: the manifest blocks" has answered
    And every path that the runbook says at "exit 1: the manifest blocks" is there
    And looking as the runbook says at "exit 1: the manifest blocks" has changed nothing
    When I mend as the runbook says at "exit 1: the manifest blocks"
    Then the exit code is 0
    And the run status is "complete"
    And task "001" is "landed"
    And no untested commit is on the integration branch
    And the integration branch does not hold the file "src/other.js"

  Scenario: A budget that blocks
    Given the configuration:
      """
      budgets: {mode: block, max_tokens_per_task: 1000}
      """
    And the agent runs:
      """
      write src/greeting.js "a greeting"
      if once dear; then usage 1400 100; fi
      """
    When I run "mycelium run --run-id first"
    Then the exit code is 1
    And the stop reason is "budget_block"
    And the integration branch has not moved
    When I look as the runbook says at "exit 1: a budget blocks"
    Then every command that the runbook says at "exit 1: a budget blocks" has answered
    And every path that the runbook says at "exit 1: a budget blocks" is there
    And looking as the runbook says at "exit 1: a budget blocks" has changed nothing
    When the user writes the file ".mycelium/config.yaml":
      """
      integration_branch: main
      doctor: .mycelium/doctor.sh
      budgets: {mode: block, max_tokens_per_task: 5000}
      """
    And I mend as the runbook says at "exit 1: a budget blocks"
    Then the exit code is 0
    And the run status is "complete"
    And task "001" is "landed"
    And no untested commit is on the integration branch

  Scenario: Work that conflicts
    Given the user has checked out the branch "feature"
    And the agent runs:
      """
      append src/greeting.js "mine"
      if once conflict; then colleague_commits src/greeting.js "from a colleague"; fi
      """
    When I run "mycelium run --run-id first"
    Then the exit code is 3
    And the stop reason is "review"
    And the log has no "landing.intent" event
    When I look as the runbook says at "exit 3: work conflicts"
    Then every command that the runbook says at "exit 3: work conflicts" has answered
    And every path that the runbook says at "exit 3: work conflicts" is there
    And looking as the runbook says at "exit 3: work conflicts" has changed nothing
    When I mend as the runbook says at "exit 3: work conflicts"
    Then the exit code is 0
    And the run status is "complete"
    And task "001" is "landed"
    And no untested commit is on the integration branch
    And the integration branch has lost no commit

  Scenario: Changes of the user in the way
    Given the plan:
      | id  | name           | writes         |
      | 001 | write-greeting | notes/greeting |
    And the agent runs:
      """
      write notes/greeting "a greeting"
      """
    And the user has the untracked file "notes/greeting"
    When I run "mycelium run --run-id first"
    Then the exit code is 3
    And the stop reason is "checkout_blocked"
    And the integration branch has not moved
    When I look as the runbook says at "exit 3: your changes are in the way"
    Then every command that the runbook says at "exit 3: your changes are in the way" has answered
    And every path that the runbook says at "exit 3: your changes are in the way" is there
    And looking as the runbook says at "exit 3: your changes are in the way" has changed nothing
    When the user deletes the folder "notes"
    And I mend as the runbook says at "exit 3: your changes are in the way"
    Then the exit code is 0
    And the run status is "complete"
    And task "001" is "landed"
    And no untested commit is on the integration branch

  Scenario: A run that was killed
    Given the agent runs:
      """
      if once work; then signal at-work; await never; fi
      write src/greeting.js "a greeting"
      """
    When I start "mycelium run --run-id first"
    And a script signals "at-work"
    And the started command is killed
    Then the integration branch has not moved
    When I look as the runbook says at "it was interrupted or killed"
    Then every command that the runbook says at "it was interrupted or killed" has answered
    And every path that the runbook says at "it was interrupted or killed" is there
    And looking as the runbook says at "it was interrupted or killed" has changed nothing
    When I mend as the runbook says at "it was interrupted or killed"
    Then the exit code is 0
    And the run status is "complete"
    And task "001" is "landed"
    And no untested commit is on the integration branch
    And the log has 1 "landing.done" event
    When I run "mycelium resume --run-id first"
    Then the exit code is 0
    And the last command has changed no file of a run

  Scenario: Leftovers of finished runs
    Given the configuration:
      """
      cleanup: {workspaces: never}
      """
    And the agent runs:
      """
      write src/greeting.js "a greeting"
      """
    When I run "mycelium run --run-id first"
    Then the exit code is 0
    When I look as the runbook says at "finished runs fill the disk"
    Then every command that the runbook says at "finished runs fill the disk" has answered
    And every path that the runbook says at "finished runs fill the disk" is there
    And looking as the runbook says at "finished runs fill the disk" has changed nothing
    When I mend as the runbook says at "finished runs fill the disk"
    Then the exit code is 0
    And no ref was added
    And the integration branch has lost no commit
    And the run folder holds the file "orchestrator.jsonl"
