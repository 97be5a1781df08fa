@G2.12 @tier2 @docker
Feature: G2.12 Memory and PID limits hold
  A command that needs more memory or more processes than its container may have fails for that reason. The machine and
  the other tasks do not notice.

  Background:
    Given the repository "toy-repo"
    And the plan:
      | id  | name           | writes          |
      | 001 | write-greeting | src/greeting.js |
      | 002 | write-thanks   | src/thanks.js   |
    And the configuration:
      """
      max_retries: 0
      """
    And the agent of task "002" runs:
      """
      append src/thanks.js "a thanks"
      """

  @chaos
  Scenario: An agent that needs more memory than it may fails, and the reason says so
    Given the configuration:
      """
      docker: {memory_mb: 48}
      """
    And the agent of task "001" runs:
      """
      append src/greeting.js "a greeting"
      text=$(head -c 120000000 /dev/zero | tr '\0' x)
      append src/greeting.js "${#text}"
      """
    When I run "mycelium run --run-id first"
    Then the exit code is 1
    And task "001" is "failed"
    And a reason of task "001" says "memory"
    And task "002" is "landed"
    And the integration branch does not hold the file "src/greeting.js"

  @chaos
  Scenario: An agent that starts more processes than it may fails, and its neighbour does not
    Given the configuration:
      """
      docker: {pids_limit: 24}
      """
    And the agent of task "001" runs:
      """
      append src/greeting.js "a greeting"
      n=0
      while [ $n -lt 100 ]; do sleep 600 & n=$((n + 1)); done
      """
    When I run "mycelium run --run-id first"
    Then the exit code is 1
    And task "001" is "failed"
    And task "002" is "landed"
    And the run file "tasks/001/attempt-1/agent.log" contains "fork"
    And the integration branch does not hold the file "src/greeting.js"
    And no process is left

  @chaos
  Scenario: An agent whose processes start ever more of them is ended, and nothing of them stays
    Given the configuration:
      """
      docker: {pids_limit: 24}
      timeout_minutes: 0.3
      """
    And the agent of task "001" runs:
      """
      append src/greeting.js "a greeting"
      bomb() { bomb & bomb & wait; exit 1; }
      bomb
      """
    When I run "mycelium run --run-id first"
    Then the exit code is 1
    And task "001" is "failed"
    And task "002" is "landed"
    And the integration branch does not hold the file "src/greeting.js"
    And no process is left

  @chaos
  Scenario: An agent that fills the disk of its container fails, and its neighbour does not
    Given the agent of task "001" runs:
      """
      append src/greeting.js "a greeting"
      cat /dev/zero >/tmp/filler
      append src/greeting.js "more than there is room for"
      """
    When I run "mycelium run --run-id first"
    Then the exit code is 1
    And task "001" is "failed"
    And task "002" is "landed"
    And the run file "tasks/001/attempt-1/agent.log" contains "No space left on device"
    And the integration branch does not hold the file "src/greeting.js"
    And no process is left

  @chaos
  Scenario: A doctor that needs more memory than it may fails, and the reason says so
    Given the configuration:
      """
      docker: {memory_mb: 48}
      """
    And the agent of task "001" runs:
      """
      append src/greeting.js "a greeting"
      """
    And the doctor runs:
      """
      text=$(head -c 120000000 /dev/zero | tr '\0' x)
      """
    When I run "mycelium run --tasks 001"
    Then the exit code is 1
    And task "001" is "failed"
    And a reason of task "001" says "the doctor needed more memory"
    And the integration branch has not moved

  @control
  Scenario: Within its limits the same work lands
    Given the configuration:
      """
      docker: {memory_mb: 512, pids_limit: 200}
      """
    And the agent of task "001" runs:
      """
      text=$(head -c 120000 /dev/zero | tr '\0' x)
      n=0
      while [ $n -lt 20 ]; do sleep 0 & n=$((n + 1)); done
      wait
      append src/greeting.js "${#text}"
      """
    When I run "mycelium run --run-id first"
    Then the exit code is 0
    And task "001" is "landed"
    And the file "src/greeting.js" on the integration branch contains "120000"
    And the log has no "task.fail" event
    And no container is left
