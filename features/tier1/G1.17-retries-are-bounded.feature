@G1.17 @tier1 @mock
Feature: G1.17 Retries are bounded
  A task that fails is tried again at most "max_retries" times, each time in a fresh workspace, and then fails for good.
  Nothing loops.

  Background:
    Given the repository "toy-repo"
    And the plan:
      | id  | name           | writes          |
      | 001 | write-greeting | src/greeting.js |

  @docker
  Scenario Outline: A task that fails every time is tried <attempts> times with max_retries <retries>: <what>
    Given the configuration:
      """
      max_retries: <retries>
      """
    And the agent runs:
      """
      <deed>
      """
    When I run "mycelium run"
    Then the exit code is 1
    And the run status is "failed"
    And the stop reason is "task_failed"
    And task "001" is "failed"
    And task "001" has made <attempts> attempts
    And the log has <attempts> "task.start" events
    And the log has <retries> "task.retry" events
    And the log has 1 "task.fail" event
    And task "001" has not made more than <attempts> attempts
    And the integration branch has not moved
    And the log has no "landing.intent" event

    Examples:
      | retries | attempts | what            | deed                               |
      | 0       | 1        | it exits with 5 | write src/greeting.js half; exit 5 |
      | 1       | 2        | it exits with 5 | write src/greeting.js half; exit 5 |
      | 3       | 4        | it is killed    | kill -9 $$                         |

  @docker
  Scenario: A task whose own check fails every time is tried as often
    Given the plan:
      | id  | name           | writes          | verify               |
      | 001 | write-greeting | src/greeting.js | test -f src/never.js |
    And the configuration:
      """
      max_retries: 2
      """
    When I run "mycelium run"
    Then the exit code is 1
    And task "001" is "failed"
    And the log has 3 "task.start" events
    And the log has 3 "batch.start" events
    And task "001" has not made more than 3 attempts
    And the integration branch has not moved

  @docker
  Scenario: An attempt tells how many are left
    Given the configuration:
      """
      max_retries: 2
      """
    And the agent runs:
      """
      exit 1
      """
    When I run "mycelium run"
    Then the exit code is 1
    And a "task.retry" event says:
      | field         | value |
      | attempts_left | 2     |
    And a "task.retry" event says:
      | field         | value |
      | attempts_left | 1     |
    And task "001" has not made more than 3 attempts

  @docker
  Scenario: A task that succeeds at its last attempt lands once, from a fresh workspace
    Given the configuration:
      """
      max_retries: 2
      """
    And the agent runs:
      """
      test ! -e src/half.js || exit 42
      test -f src/index.js
      write src/half.js "half"
      rm src/index.js
      if once first || once second; then exit 1; fi
      rm src/half.js
      git checkout -q src/index.js
      write src/greeting.js "a greeting"
      """
    When I run "mycelium run"
    Then the exit code is 0
    And the run status is "complete"
    And task "001" is "landed"
    And task "001" has made 3 attempts
    And the log has 1 "landing.done" event
    And the integration branch holds the file "src/greeting.js"
    And the integration branch does not hold the file "src/half.js"
    And the log has no "task.fail" event
    And task "001" has not made more than 3 attempts

  @docker
  Scenario: With fail_fast nothing is tried again and nothing more starts
    Given the plan:
      | id  | name           | writes          |
      | 001 | write-greeting | src/greeting.js |
      | 002 | write-farewell | src/farewell.js |
    And the configuration:
      """
      task_failure_policy: fail_fast
      max_retries: 5
      max_parallel: 1
      """
    And the agent runs:
      """
      exit 1
      """
    When I run "mycelium run"
    Then the exit code is 1
    And the run status is "failed"
    And task "001" is "failed"
    And the log has 1 "task.start" event
    And the log has no "task.retry" event
    And the log has no "task.start" event for task "002"
    And task "001" has not made more than 1 attempt

  @docker
  Scenario: One task's failures do not use up another's retries
    Given the plan:
      | id  | name           | writes          |
      | 001 | write-greeting | src/greeting.js |
      | 002 | write-farewell | src/farewell.js |
    And the configuration:
      """
      max_retries: 1
      """
    And the agent runs:
      """
      if once "$MYCELIUM_TASK_ID"; then exit 1; fi
      case "$MYCELIUM_TASK_ID" in
        001) write src/greeting.js "a greeting" ;;
        002) write src/farewell.js "a farewell" ;;
      esac
      """
    When I run "mycelium run"
    Then the exit code is 0
    And task "001" has made 2 attempts
    And task "002" has made 2 attempts
    And task "001" is "landed"
    And task "002" is "landed"
    And the log has no "task.fail" event
