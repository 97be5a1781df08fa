@G1.22 @tier1 @mock @docker
Feature: G1.22 A stuck agent is ended and its attempt retried
  An agent that says nothing after it was started, or falls silent while its model says nothing either, is ended by a
  limit of its own, its attempt has failed for that reason, and is tried again like every other. A long answer of the
  model is no silence.

  Background:
    Given the repository "toy-repo"
    And the plan:
      | id  | name           | writes          |
      | 001 | write-greeting | src/greeting.js |

  Scenario Outline: <agent> that never says anything is ended soon, and tried again
    Given the agent is a scripted "<agent>"
    And the configuration:
      """
      first_event_timeout_minutes: 0.2
      worker: {args: [--scripted, mute-in-attempt=1]}
      """
    And the model answers:
      """
      - shell: append src/greeting.js a-greeting
      - text: Done.
      """
    When I run "mycelium run --run-id first"
    Then the exit code is 0
    And a "worker.exit" event says:
      | field  | value               |
      | reason | first_event_timeout |
    And a "task.retry" event says:
      | field  | value                                                                                       |
      | reason | the agent failed: said nothing after it was started: was ended before it had ended (killed) |
    And task "001" is "landed"
    And task "001" has made 2 attempts
    And the log has no "task.fail" event
    And no process is left

    Examples:
      | agent  |
      | codex  |
      | claude |

  Scenario: An agent whose model does not go on is ended, and tried again
    Given the agent is a scripted "codex"
    And the configuration:
      """
      idle_timeout_minutes: 0.15
      """
    And the model answers:
      """
      - {text: I think., end: {stall_after: 1}, times: 1}
      - shell: append src/greeting.js a-greeting
      - text: Done.
      """
    When I run "mycelium run --run-id first"
    Then the exit code is 0
    And a "worker.exit" event says:
      | field  | value        |
      | reason | idle_timeout |
    And task "001" is "landed"
    And task "001" has made 2 attempts
    And the log has no "task.fail" event
    And no process is left

  Scenario: One that is stuck in each attempt fails for that reason
    Given the agent is a scripted "claude"
    And the configuration:
      """
      max_retries: 1
      idle_timeout_minutes: 0.03
      """
    And the model answers:
      """
      - {text: I think., end: {stall_after: 1}}
      """
    When I run "mycelium run --run-id first"
    Then the exit code is 1
    And a reason of task "001" says "was silent for too long"
    And task "001" is "failed"
    And task "001" is not "landed"
    And task "001" has made 2 attempts
    And the integration branch has not moved
    And no process is left

  Scenario: One that does not end after it said that it is done is ended, and its work lands
    Given the agent is a scripted "codex"
    And the configuration:
      """
      worker: {args: [--scripted, stays]}
      """
    And the model answers:
      """
      - shell: append src/greeting.js a-greeting
      - text: Done.
      """
    When I run "mycelium run --run-id first"
    Then the exit code is 0
    And a "worker.exit" event says:
      | field  | value    |
      | reason | lingered |
    And task "001" is "landed"
    And the log has no "task.retry" event
    And no process is left

  @control
  Scenario Outline: <agent> whose model takes long to answer is not stuck
    Given the agent is a scripted "<agent>"
    And the configuration:
      """
      max_retries: 0
      idle_timeout_minutes: 0.1
      """
    And the model answers:
      """
      - shell: append src/greeting.js a-greeting
      - text: one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen
        pace_ms: 500
      """
    When I run "mycelium run --run-id first"
    Then the exit code is 0
    And task "001" is "landed"
    And the log has no "task.fail" event
    And the integration branch has moved

    Examples:
      | agent  |
      | codex  |
      | claude |
