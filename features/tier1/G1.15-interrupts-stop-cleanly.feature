@G1.15 @tier1 @mock @docker
Feature: G1.15 Interrupts stop cleanly and are resumable
  A signal ends a run in order: what it started is ended, the state says so, nothing is charged, and resume goes on.

  Background:
    Given the repository "toy-repo"
    And the plan:
      | id  | name           | writes          |
      | 001 | write-greeting | src/greeting.js |
    And the configuration:
      """
      max_retries: 0
      """

  Scenario Outline: <signal> while an agent works
    Given the agent runs:
      """
      if once work; then signal at-work; await never; fi
      append src/greeting.js "a greeting"
      """
    When I start "mycelium run --run-id first"
    And a script signals "at-work"
    And the started command gets <signal>
    And the started command has ended
    Then the exit code is <code>
    And the run status is "interrupted"
    And the stop reason is "signal"
    And standard error says "mycelium resume"
    And the integration branch has not moved
    And no process is left
    When I run "mycelium resume --run-id first"
    Then the exit code is 0
    And the run status is "complete"
    And task "001" is "landed"
    And the log has 1 "landing.done" event
    And the log has no "task.fail" event
    And the log has no "task.retry" event

    Examples:
      | signal  | code |
      | SIGINT  | 130  |
      | SIGTERM | 143  |
      | SIGHUP  | 143  |

  Scenario: SIGINT while the doctor runs
    Given the doctor runs:
      """
      if once doctor; then signal in-doctor; await never; fi
      """
    When I start "mycelium run --run-id first"
    And a script signals "in-doctor"
    And the started command gets SIGINT
    And the started command has ended
    Then the exit code is 130
    And the run status is "interrupted"
    And the integration branch has not moved
    And the log has no "landing.doctor_fail" event
    And no process is left
    When I run "mycelium resume --run-id first"
    Then the exit code is 0
    And task "001" is "landed"
    And task "001" has not made more than 1 attempt
    And the log has 1 "landing.done" event

  Scenario: A second signal ends an agent that does not listen to the first
    Given the agent runs:
      """
      if once work; then
        trap 'signal deaf' TERM INT
        (trap '' TERM INT; await never) &
        signal at-work
        wait $! || :
        wait $!
      fi
      append src/greeting.js "a greeting"
      """
    When I start "mycelium run --run-id first"
    And a script signals "at-work"
    And the started command gets SIGINT
    And a script signals "deaf"
    And the started command gets SIGINT
    And the started command has ended
    Then the exit code is 130
    And the run status is "interrupted"
    And no process is left
    And the integration branch has not moved
    When I run "mycelium resume --run-id first"
    Then the exit code is 0
    And task "001" is "landed"
    And the log has no "task.fail" event
