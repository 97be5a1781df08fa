@G2.1 @tier2 @docker @timeout(3m)
Feature: G2.1 A Docker outage is survived
  Where the container engine goes away, or has no room left, the run stops, says so and charges no task. Once it is back,
  resume goes on.

  Background:
    Given a container engine of its own with room for 131072 KiB
    And the repository "toy-repo"
    And the plan:
      | id  | name           | writes          |
      | 001 | write-greeting | src/greeting.js |
    And the configuration:
      """
      max_retries: 0
      """
    And the agent runs:
      """
      if once first; then
        signal at-work
        await may-go-on
      fi
      append src/greeting.js "a greeting"
      """

  @chaos
  Scenario: The engine is stopped while an agent works, and resume goes on once it is back
    When I start "mycelium run --run-id first"
    And a script signals "at-work"
    And the container engine is stopped
    And the started command has ended
    Then the exit code is 4
    And standard error says "does not answer"
    And the integration branch has not moved
    And task "001" is not "failed"
    When I run "mycelium resume --run-id first"
    Then the exit code is 4
    And standard error says "does not answer"
    When the container engine is started again
    And I run "mycelium resume --run-id first"
    Then the exit code is 0
    And the run status is "complete"
    And task "001" is "landed"
    And the log has no "task.fail" event
    And the log has no "task.retry" event
    And the log has 1 "landing.done" event
    And the integration branch holds the file "src/greeting.js"
    And no container is left

  @chaos
  Scenario: The engine is killed while an agent works, and resume goes on once it is back
    When I start "mycelium run --run-id first"
    And a script signals "at-work"
    And the container engine is killed
    And the started command has ended
    Then the exit code is 4
    And standard error says "does not answer"
    And the integration branch has not moved
    And task "001" is not "failed"
    When the container engine is started again
    And I run "mycelium resume --run-id first"
    Then the exit code is 0
    And the run status is "complete"
    And task "001" is "landed"
    And the log has no "task.fail" event
    And the log has no "task.retry" event
    And the log has 1 "landing.done" event
    And the integration branch holds the file "src/greeting.js"
    And no container is left

  @chaos
  Scenario: The engine is stopped while the doctor runs, and finished work is not done again
    Given the agent runs:
      """
      append src/greeting.js "a greeting"
      """
    And the doctor runs:
      """
      if once first; then
        signal at-work
        await may-go-on
      fi
      """
    When I start "mycelium run --run-id first"
    And a script signals "at-work"
    And the container engine is stopped
    And the started command has ended
    Then the exit code is 4
    And standard error says "does not answer"
    And the integration branch has not moved
    When the container engine is started again
    And I run "mycelium resume --run-id first"
    Then the exit code is 0
    And task "001" is "landed"
    And task "001" has made 1 attempt
    And the log has no "landing.doctor_fail" event
    And the log has 1 "landing.done" event
    And no container is left

  @chaos
  Scenario: Orchestrator and engine are both gone, and what the engine ended is no result
    When I start "mycelium run --run-id first"
    And a script signals "at-work"
    And the started command is killed
    And the container engine is stopped
    And the container engine is started again
    And I run "mycelium resume --run-id first"
    Then the exit code is 0
    And the log has a "worker.lost" event for task "001"
    And task "001" is "landed"
    And task "001" has made 2 attempts
    And the log has no "task.fail" event
    And the log has 1 "landing.done" event
    And no container is left

  @chaos
  Scenario: An agent that answers the engine's end with success has no result
    Given the agent runs:
      """
      if once first; then
        trap "exit 0" TERM
        append src/greeting.js "half of a greeting"
        signal at-work
        sleep 600 & wait $!
      fi
      append src/greeting.js "a greeting of another attempt"
      """
    When I start "mycelium run --run-id first"
    And a script signals "at-work"
    And the started command is killed
    And the container engine is stopped
    And the container engine is started again
    And I run "mycelium resume --run-id first"
    Then the exit code is 0
    And the log has a "worker.lost" event for task "001"
    And the log has no "worker.reattach" event
    And task "001" is "landed"
    And the log has no "task.fail" event
    And the file "src/greeting.js" on the integration branch contains "of another attempt"
    And the file "src/greeting.js" on the integration branch does not contain "half of a greeting"
    And no container is left

  @chaos
  Scenario: The engine has no room left for the next container, and resume goes on once it has
    Given the configuration:
      """
      cleanup: {containers: never}
      """
    When I start "mycelium run --run-id first"
    And a script signals "at-work"
    And the disk of the container engine is full
    And a script that awaits "may-go-on" goes on
    And the started command has ended
    Then the exit code is 4
    And standard error says "no space left on device"
    And the integration branch has not moved
    When the disk of the container engine has room again
    And I run "mycelium resume --run-id first"
    Then the exit code is 0
    And the run status is "complete"
    And task "001" is "landed"
    And the log has no "task.fail" event
    And the log has no "task.retry" event
    And the log has 1 "landing.done" event
    When I run "mycelium clean --all --force"
    Then no container is left

  Scenario: Without an engine nothing begins
    Given the agent runs:
      """
      append src/greeting.js "a greeting"
      """
    When the container engine is stopped
    And I run "mycelium run --run-id first"
    Then the exit code is 4
    And standard error says "does not answer"
    And standard error says "unix://"
    And the integration branch has not moved
    When the container engine is started again
    And I run "mycelium run --run-id second"
    Then the exit code is 0
    And the run status is "complete"
    And no container is left

  @control
  Scenario: While the engine stays the same work lands in one go
    When I start "mycelium run --run-id first"
    And a script signals "at-work"
    And a script that awaits "may-go-on" goes on
    And the started command has ended
    Then the exit code is 0
    And task "001" is "landed"
    And the log has no "run.resume" event
    And no container is left
