@G1.23 @tier1 @mock
Feature: G1.23 A human decides about work that waits
  Work that a gate blocked waits for a human, who has it landed, done again or given up. A decision overrides the named
  block alone, and nothing lands before resume and without the doctor.

  Background:
    Given the repository "toy-repo"
    And the plan:
      | id  | name           | writes          |
      | 001 | write-greeting | src/greeting.js |
      | 002 | write-thanks   | src/thanks.js   |
    And the configuration:
      """
      manifest_enforcement: block
      """
    And the doctor runs:
      """
      see_tree
      """
    And the agent of task "001" runs:
      """
      write src/greeting.js "a greeting"
      if once wild; then write src/other.js "not mine"; fi
      """
    And the agent of task "002" runs:
      """
      once second
      write src/thanks.js "a thanks"
      """

  @docker
  Scenario: What is approved lands after resume through the doctor, with the work beside it
    When I run "mycelium run --run-id first"
    Then the exit code is 1
    And task "001" is "needs_human_review"
    And the integration branch has not moved
    When I run "mycelium review approve 001 --run-id first"
    Then the exit code is 0
    And the last command has changed no ref
    When I run "mycelium resume --run-id first"
    Then the exit code is 0
    And the run status is "complete"
    And the log has 1 "review.approve" event
    And task "001" is "landed"
    And task "001" has not made more than 1 attempt
    And task "002" is "landed"
    And task "002" has not made more than 1 attempt
    And the integration branch holds the file "src/other.js"
    And no untested commit is on the integration branch
    And the integration branch has lost no commit

  @docker
  Scenario: What is done again lands under the gates
    When I run "mycelium run --run-id first"
    And I run "mycelium review retry 001 --run-id first"
    Then the exit code is 0
    And the last command has changed no ref
    When I run "mycelium resume --run-id first"
    Then the exit code is 0
    And task "001" is "landed"
    And task "001" has made 2 attempts
    And task "002" is "landed"
    And the integration branch does not hold the file "src/other.js"
    And no untested commit is on the integration branch

  @docker
  Scenario: What is rejected does not land, and the work beside it does
    When I run "mycelium run --run-id first"
    And I run "mycelium review reject 001 --run-id first"
    And I run "mycelium resume --run-id first"
    Then the exit code is 1
    And task "001" is not "landed"
    And task "002" is "landed"
    And the integration branch holds the file "src/thanks.js"
    And the integration branch does not hold the file "src/greeting.js"
    And the log has 1 "landing.done" event

  @docker
  Scenario: An approval does not override the doctor
    Given the agent of task "001" runs:
      """
      write src/greeting.js "BROKEN"
      write src/other.js "not mine"
      """
    And the doctor runs:
      """
      see_tree
      ! grep -rq BROKEN src
      """
    When I run "mycelium run --run-id first"
    And I run "mycelium review approve 001 --run-id first"
    And I run "mycelium resume --run-id first"
    Then the exit code is 1
    And task "001" is not "landed"
    And the integration branch does not hold the file "src/greeting.js"
    And task "002" is "landed"
    And no untested commit is on the integration branch

  @docker
  Scenario: A decision on a run whose journal is torn says that the end was cut off
    When I run "mycelium run --run-id first"
    And a line of the journal was only half written
    And I run "mycelium review reject 001 --run-id first"
    Then the exit code is 0
    And standard error says "the torn end of its journal was cut off"
    And the log has these events in order:
      | event             | task |
      | journal.truncated |      |
      | review.reject     | 001  |
    And the last command has changed no ref

  @docker
  Scenario: What does not wait is not decided about
    When I run "mycelium run --run-id first"
    And I run "mycelium review approve 002 --run-id first"
    Then the exit code is 2
    And standard error says "does not wait for a human"
    And the last command has changed no file of a run
    And the last command has changed no ref

  @docker
  Scenario: What a budget held back lands after the rest was done again under a new one
    Given the configuration:
      """
      budgets: {mode: block, max_tokens_per_task: 1000}
      """
    And the agent of task "001" runs:
      """
      write src/greeting.js "a greeting"
      if once dear; then usage 1400 100; fi
      """
    When I run "mycelium run --run-id first"
    Then the exit code is 1
    And the stop reason is "budget_block"
    And task "001" is "failed"
    And task "002" is "validated"
    And the integration branch has not moved
    When the user changes the configuration:
      """
      budgets: {mode: block, max_tokens_per_task: 5000}
      """
    And I run "mycelium review retry 001 --run-id first"
    And I run "mycelium resume --run-id first"
    Then the exit code is 0
    And task "001" is "landed"
    And task "001" has made 2 attempts
    And task "002" is "landed"
    And task "002" has not made more than 1 attempt
    And no untested commit is on the integration branch

  @docker
  Scenario: A retry that the budget would block again is refused until the budget is changed
    Given the configuration:
      """
      budgets: {mode: block, max_tokens_per_task: 1000}
      """
    And the agent of task "001" runs:
      """
      write src/greeting.js "a greeting"
      usage 1400 100
      """
    When I run "mycelium run --run-id first"
    And I run "mycelium review retry 001 --run-id first"
    Then the exit code is 2
    And standard error says "task 001 has used 1500 tokens, and its limit is 1000 tokens"
    And standard error says "budgets.max_tokens_per_task"
    And the last command has changed no file of a run
    And task "001" has not made more than 1 attempt

  @docker
  Scenario: An approval beside another block lands nothing until that is decided, and is not forgotten
    Given the agent of task "002" runs:
      """
      write src/thanks.js "a thanks"
      write src/more.js "not mine"
      """
    When I run "mycelium run --run-id first"
    And I run "mycelium review approve 002 --run-id first"
    Then the exit code is 0
    And standard error says "gates still block 001: nothing lands until that is decided too"
    When I run "mycelium review list --run-id first"
    Then standard output says "002  approved"
    And the integration branch has not moved
    When I run "mycelium review approve 001 --run-id first"
    And I run "mycelium resume --run-id first"
    Then the exit code is 0
    And task "001" is "landed"
    And task "002" is "landed"
    And task "002" has not made more than 1 attempt
    And no untested commit is on the integration branch

  @docker
  Scenario: After a failure that ended the run, what is approved lands and nothing new begins
    Given the plan:
      | id  | name           | writes          |
      | 001 | write-greeting | src/greeting.js |
      | 002 | write-thanks   | src/thanks.js   |
      | 003 | write-farewell | src/farewell.js |
    And the configuration:
      """
      task_failure_policy: fail_fast
      max_parallel: 2
      """
    And the agent of task "002" runs:
      """
      exit 1
      """
    When I run "mycelium run --run-id first"
    Then the exit code is 1
    And task "001" is "needs_human_review"
    And task "002" is "failed"
    When I run "mycelium review approve 001 --run-id first"
    And I run "mycelium resume --run-id first"
    Then the exit code is 1
    And the run status is "failed"
    And the stop reason is "task_failed"
    And task "001" is "landed"
    And task "001" has not made more than 1 attempt
    And task "002" is not "landed"
    And the log has no "task.start" event for task "003"
    And the log has no "task.start" event after the "review.approve" event
    And no untested commit is on the integration branch
