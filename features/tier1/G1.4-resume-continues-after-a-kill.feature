# Not in containers but for agents that ask a model: others go on alone when the program is killed, and resume follows
# them (G2.5).
@G1.4 @tier1 @mock
Feature: G1.4 Resume continues after a kill between batches
  A run that was killed goes on where it was. What landed is not done again, what was under way is done again without
  being charged for it, and nothing of the dead run is left.

  Background:
    Given the repository "toy-repo"
    And the plan:
      | id  | name           | writes          | dependencies |
      | 001 | write-greeting | src/greeting.js |              |
      | 002 | write-thanks   | src/thanks.js   | 001          |
    And the configuration:
      """
      max_retries: 0
      """
    And the agent of task "001" runs:
      """
      once first
      append src/greeting.js "a greeting"
      """
    And the agent of task "002" runs:
      """
      if once second; then
        echo $$ >"$fixture_state/lost"
        signal at-work
        await never
      fi
      if grep -qs agent.sh "/proc/$(cat "$fixture_state/lost")/cmdline"; then exit 9; fi
      append src/thanks.js "a thanks"
      """

  Scenario: Killed while an agent of the second batch works, the agent is ended and only its task is done again
    When I start "mycelium run --run-id first"
    And a script signals "at-work"
    And the started command is killed
    And I run "mycelium resume --run-id first"
    Then the exit code is 0
    And the run status is "complete"
    And task "001" is "landed"
    And task "001" has not made more than 1 attempt
    And task "002" is "landed"
    And task "002" has made 2 attempts
    And the log has 1 "run.resume" event
    And the log has a "worker.lost" event for task "002"
    And the log has 2 "landing.done" events
    And the log has no "task.retry" event
    And the log has no "task.fail" event
    And no process is left
    And the integration branch has lost no commit
    And the checkout has no uncommitted change

  Scenario: Killed between the first batch and the second, only the second is done
    When I start "mycelium run --run-id first"
    And a script signals "at-work"
    And the started command is killed
    And the program is as if killed right after the first "batch.complete" event
    And I run "mycelium resume --run-id first"
    Then the exit code is 0
    And the run status is "complete"
    And task "001" has not made more than 1 attempt
    And task "002" has not made more than 1 attempt
    And the log has these events in order:
      | event          | task |
      | landing.done   |      |
      | batch.complete |      |
      | run.resume     |      |
      | task.start     | 002  |
      | landing.done   |      |
      | run.complete   |      |
    And the log has 2 "landing.done" events
    And the log has no "worker.lost" event
    And no process is left
    And the integration branch has lost no commit

  Scenario: A line that was only half written is cut off and that is said
    When I start "mycelium run --run-id first"
    And a script signals "at-work"
    And the started command is killed
    And a line of the journal was only half written
    And I run "mycelium resume --run-id first"
    Then the exit code is 0
    And the run status is "complete"
    And the log has 1 "journal.truncated" event
    And the log has 2 "landing.done" events
    And task "001" has not made more than 1 attempt
    And no process is left

  Scenario: Killed before the last word of a run, resume says it and does nothing else
    Given the agent of task "002" runs:
      """
      once second
      append src/thanks.js "a thanks"
      """
    When I run "mycelium run --run-id first"
    And the program is as if killed right after the last "batch.complete" event
    And I run "mycelium resume"
    Then the exit code is 0
    And the run status is "complete"
    And the last command has changed no ref
    And the log has 1 "run.complete" event
    And the log has 2 "landing.done" events
    And the log has no "task.start" event after the "run.resume" event

  Scenario: A new run after a resumed one does nothing again
    When I start "mycelium run --run-id first"
    And a script signals "at-work"
    And the started command is killed
    And I run "mycelium resume"
    And I run "mycelium run --run-id second"
    Then the exit code is 0
    And the last command has changed no ref
    And the integration branch has lost no commit

  Scenario: A run whose work another one has landed since is passed over, and that is said
    When I start "mycelium run --run-id first"
    And a script signals "at-work"
    And the started command is killed
    And I run "mycelium run --run-id second"
    And I run "mycelium resume"
    Then the exit code is 0
    And standard output says "no run to resume"
    And standard error says "run first is unfinished"
    And standard error says "task 002 in run second"
    And the last command has changed no ref
    And the last command has changed no file of a run

  @docker
  Scenario Outline: Killed while <agent> is in the middle of a conversation, it goes on with it where it was
    Given the agent is a scripted "<agent>"
    And the model answers what says "Do write-greeting.":
      """
      - shell: append src/greeting.js half; signal at-work; await never
      - shell: grep half src/greeting.js && append src/greeting.js other-half
      - text: Done.
      """
    And the model answers what says "Do write-thanks.":
      """
      - shell: append src/thanks.js thanks
      - text: Done.
      """
    When I start "mycelium run --run-id first"
    And a script signals "at-work"
    And the conversation of task "001" is written down
    And the started command is killed
    And I run "mycelium resume --run-id first"
    Then the exit code is 0
    And task "001" is "landed"
    And task "001" has made 2 attempts
    And task "002" has not made more than 1 attempt
    And the log has a "worker.lost" event for task "001"
    And a "task.start" event says:
      | field     | value |
      | continues | 1     |
    And a question to the model says "You were interrupted"
    And the model was asked no more than 5 times
    And the file "src/greeting.js" on the integration branch contains "other-half"
    And the log has no "task.retry" event
    And the log has no "task.fail" event
    And no process is left

    Examples:
      | agent  |
      | codex  |
      | claude |

  Scenario Outline: <agent> that does not have its conversation any more begins anew, and is not charged
    Given the agent is a scripted "<agent>"
    And the configuration:
      """
      max_retries: 0
      worker: {args: [--scripted, forgets]}
      """
    And the model answers what says "Do write-greeting.":
      """
      - shell: append src/greeting.js half; signal at-work; await never
      - shell: test -e src/greeting.js || append src/greeting.js whole
      - text: Done.
      """
    And the model answers what says "Do write-thanks.":
      """
      - shell: append src/thanks.js thanks
      - text: Done.
      """
    When I start "mycelium run --run-id first"
    And a script signals "at-work"
    And the conversation of task "001" is written down
    And the started command is killed
    And I run "mycelium resume --run-id first"
    Then the exit code is 0
    And task "001" is "landed"
    And task "001" has made 3 attempts
    And the log has 2 "worker.lost" events
    And standard error says "the agent does not have the conversation"
    And the file "src/greeting.js" on the integration branch contains "whole"
    And the log has no "task.retry" event
    And the log has no "task.fail" event
    And no process is left

    Examples:
      | agent  |
      | codex  |
      | claude |
