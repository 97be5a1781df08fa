@G1.5 @tier1 @mock
Feature: G1.5 Resume is idempotent
  Resuming what has ended changes nothing and ends with the run's own exit code. Where nothing is to be resumed, that is
  said.

  Background:
    Given the repository "toy-repo"
    And the plan:
      | id  | name           | writes          |
      | 001 | write-greeting | src/greeting.js |
    And the configuration:
      """
      max_retries: 0
      """

  # Not in containers: there an agent goes on alone when the program is killed (G2.5).
  Scenario: A second resume of a killed run changes nothing
    Given the agent runs:
      """
      if once work; then signal at-work; await never; fi
      append src/greeting.js "a greeting"
      """
    When I start "mycelium run --run-id first"
    And a script signals "at-work"
    And the started command is killed
    And I run "mycelium resume --run-id first"
    And I run "mycelium resume --run-id first"
    Then the exit code is 0
    And standard error says "nothing was changed"
    And the run status is "complete"
    And the log has 1 "run.resume" event
    And the last command has changed no file of a run
    And the last command has changed no ref

  @docker
  Scenario: A second resume of a run that was killed in its doctor changes nothing
    Given the doctor runs:
      """
      if once doctor; then signal in-doctor; await never; fi
      """
    And the agent runs:
      """
      append src/greeting.js "a greeting"
      """
    When I start "mycelium run --run-id first"
    And a script signals "in-doctor"
    And the started command is killed
    And I run "mycelium resume --run-id first"
    And I run "mycelium resume --run-id first"
    Then the exit code is 0
    And standard error says "nothing was changed"
    And the run status is "complete"
    And the log has 1 "run.resume" event
    And the last command has changed no file of a run
    And the last command has changed no ref

  @docker
  Scenario Outline: A run that is <status> stays as it is
    Given the agent runs:
      """
      append src/greeting.js "a greeting"
      exit <agent>
      """
    When I run "mycelium run --run-id first"
    And I run "mycelium resume --run-id first"
    Then the exit code is <code>
    And the run status is "<status>"
    And standard error says "nothing was changed"
    And the log has no "run.resume" event
    And the last command has changed no file of a run
    And the last command has changed no ref

    Examples:
      | status   | agent | code |
      | complete | 0     | 0    |
      | failed   | 3     | 1    |

  @docker
  Scenario: What is torn behind the end of a finished run is cut off, and that is said
    When I run "mycelium run --run-id first"
    And a line of the journal was only half written
    And I run "mycelium resume --run-id first"
    Then the exit code is 0
    And the run status is "complete"
    And standard error says "the torn end of its journal was cut off"
    And the log has 1 "journal.truncated" event
    And the log has no "run.resume" event
    And the last command has changed no ref
    When I run "mycelium resume --run-id first"
    Then the exit code is 0
    And standard error says "nothing was changed"
    And the log has 1 "journal.truncated" event
    And the last command has changed no file of a run

  @docker
  Scenario: Without an unfinished run there is no run to resume
    When I run "mycelium run --run-id first"
    And I run "mycelium resume"
    Then the exit code is 0
    And standard output says "no run to resume"
    And the last command has changed no file of a run
    And the last command has changed no ref

  @docker
  Scenario: Before the first run there is no run to resume
    When I run "mycelium resume"
    Then the exit code is 0
    And standard output says "no run to resume"
    And no run was created
    And the integration branch has not moved

  @docker
  Scenario: A run that nobody knows is a wrong request
    When I run "mycelium run --run-id first"
    And I run "mycelium resume --run-id unknown"
    Then the exit code is 2
    And standard error says "unknown"
    And the last command has changed no file of a run
    And the last command has changed no ref

  @docker
  Scenario: A run that is alive is not resumed
    Given the agent runs:
      """
      signal at-work
      await may-go-on
      append src/greeting.js "a greeting"
      """
    When I start "mycelium run --run-id first"
    And a script signals "at-work"
    And I run "mycelium resume --run-id first"
    Then the exit code is 2
    And standard error names process, host and start of the started command
    And the last command has changed no ref
    When a script that awaits "may-go-on" goes on
    And the started command has ended
    Then the exit code is 0
    And the log has no "run.resume" event
    And task "001" has not made more than 1 attempt
