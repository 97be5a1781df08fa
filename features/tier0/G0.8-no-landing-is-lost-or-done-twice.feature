@G0.8 @tier0 @mock
Feature: G0.8 No landing is lost or done twice over a crash
  Wherever the program is killed around a landing, the work is on the branch exactly once after resume, only tested
  commits are on it, and what a gate blocked stays blocked.

  Background:
    Given the repository "toy-repo"
    And the plan:
      | id  | name           | writes          | dependencies |
      | 001 | write-greeting | src/greeting.js |              |
      | 002 | write-thanks   | src/thanks.js   | 001          |
    And the doctor runs:
      """
      see_tree
      """
    And the user has checked out the branch "feature"
    And the agent of task "001" runs:
      """
      append src/greeting.js "a greeting"
      """
    And the agent of task "002" runs:
      """
      if once second; then signal at-work; await never; fi
      append src/thanks.js "a thanks"
      """

  @docker
  Scenario: Killed while the doctor runs, the candidate is tested again and lands once
    Given the doctor runs:
      """
      see_tree
      if once doctor; then signal in-doctor; await never; fi
      """
    And the agent of task "002" runs:
      """
      usage 100 10
      append src/thanks.js "a thanks"
      """
    When I start "mycelium run --run-id first"
    And a script signals "in-doctor"
    And the started command is killed
    Then the integration branch has not moved
    When I run "mycelium resume --run-id first"
    Then the exit code is 0
    And the run status is "complete"
    And task "002" has used 110 tokens
    And task "001" has not made more than 1 attempt
    And the log has 2 "landing.done" events
    And the integration branch has moved
    And the integration branch holds the file "src/greeting.js"
    And no untested commit is on the integration branch
    And the integration branch has lost no commit
    And no process is left

  @docker
  Scenario: Killed after the branch moved and before that was noted, the landing is noted and not done again
    When I start "mycelium run --run-id first"
    And a script signals "at-work"
    And the started command is killed
    And the program is as if killed right after the first "landing.intent" event
    And I run "mycelium resume --run-id first"
    Then the exit code is 0
    And task "001" is "landed"
    And task "001" has not made more than 1 attempt
    And the log has 2 "landing.intent" events
    And the log has 2 "landing.done" events
    And the log has no "landing.refused" event
    And no untested commit is on the integration branch
    And the integration branch has lost no commit

  @docker
  Scenario: Killed before the branch moved, the work is tested again and lands once
    When I start "mycelium run --run-id first"
    And a script signals "at-work"
    And the started command is killed
    And the program is as if killed right after the first "landing.intent" event
    And the integration branch is back where it was before the first command
    And I run "mycelium resume --run-id first"
    Then the exit code is 0
    And task "001" is "landed"
    And task "001" has not made more than 1 attempt
    And the integration branch holds the file "src/greeting.js"
    And the log has 2 "landing.done" events
    And a "landing.refused" event says:
      | field  | value       |
      | reason | interrupted |
    And no untested commit is on the integration branch
    And the integration branch has lost no commit

  @docker
  Scenario: Somebody else moved the branch instead, their commit stays and the work lands on it
    When I start "mycelium run --run-id first"
    And a script signals "at-work"
    And the started command is killed
    And the program is as if killed right after the first "landing.intent" event
    And the integration branch is back where it was before the first command
    And a colleague commits the file "pushed.txt"
    And I run "mycelium resume --run-id first"
    Then the exit code is 0
    And task "001" is "landed"
    And task "001" has not made more than 1 attempt
    And the integration branch holds the file "pushed.txt"
    And the integration branch holds the file "src/greeting.js"
    And the log has 2 "landing.done" events
    And no untested commit is on the integration branch
    And the integration branch has lost no commit

  @docker
  Scenario: Somebody went on from the landing, which is noted and not done again
    When I start "mycelium run --run-id first"
    And a script signals "at-work"
    And the started command is killed
    And the program is as if killed right after the first "landing.intent" event
    And a colleague commits the file "pushed.txt"
    And I run "mycelium resume --run-id first"
    Then the exit code is 0
    And task "001" has not made more than 1 attempt
    And the integration branch holds the file "pushed.txt"
    And the integration branch holds the file "src/thanks.js"
    And the log has 2 "landing.done" events
    And the log has no "landing.refused" event
    And no untested commit is on the integration branch
    And the integration branch has lost no commit

  # Not in containers: there an agent goes on alone when the program is killed (G2.5).
  Scenario: A budget that was exceeded before the kill blocks after it
    Given the configuration:
      """
      budgets: {mode: block, max_tokens_per_task: 1000}
      """
    And the agent of task "001" runs:
      """
      append src/greeting.js "a greeting"
      if once work; then
        usage 2000 0
        until grep -rqs --include=events.jsonl turn.completed "$fixture_state/../../mycelium-home"; do :; done
        signal spent
        await never
      fi
      """
    When I start "mycelium run --run-id first"
    And a script signals "spent"
    And the started command is killed
    And I run "mycelium resume --run-id first"
    Then the exit code is 1
    And the run status is "failed"
    And the log has a "budget.block" event for task "001"
    And task "001" has used 2000 tokens
    And task "001" has not made more than 1 attempt
    And the integration branch has not moved
    And the log has no "landing.intent" event
    And no process is left

  # Not in containers: there an agent goes on alone when the program is killed (G2.5).
  Scenario: An agent that a killed program left is ended, also where the home is spelled in another way
    When I start "mycelium run --run-id first"
    And a script signals "at-work"
    And the started command is killed
    And I run "mycelium resume --run-id first" with the home spelled in another way
    Then the exit code is 0
    And the run status is "complete"
    And task "001" has not made more than 1 attempt
    And the log has 2 "landing.done" events
    And no untested commit is on the integration branch
    And the integration branch has lost no commit
    And no process is left

  @docker
  Scenario: What another run has landed since is not landed again by the killed one
    When I start "mycelium run --run-id first"
    And a script signals "at-work"
    And the started command is killed
    And I run "mycelium run --run-id second"
    Then the exit code is 0
    And standard error says "run first is unfinished"
    And standard error says "mycelium resume --run-id first"
    And the integration branch holds the file "src/thanks.js"
    When I run "mycelium resume --run-id first"
    Then the exit code is 2
    And standard error says "task 002 in run second"
    And standard error says "mycelium clean --run-id first --force"
    And the last command has changed no ref
    And the last command has changed no file of a run
    And no untested commit is on the integration branch
    And the integration branch has lost no commit
    And no process is left

  @control @docker
  Scenario: Without a kill the same work lands, each task once
    Given the agent of task "002" runs:
      """
      append src/thanks.js "a thanks"
      """
    When I run "mycelium run --run-id first"
    Then the exit code is 0
    And the integration branch has moved
    And the log has 2 "landing.done" events
    And the log has no "run.resume" event
    And no untested commit is on the integration branch
    And the integration branch has lost no commit
