@G1.24 @tier1 @mock @docker
Feature: G1.24 Limits end what does not end
  An agent that takes too long, is silent for too long or leaves a daemon behind is ended with everything that it
  started, its attempt fails with the limit named, and whatever it prints, however much, neither steers nor fills
  anything.

  Background:
    Given the repository "toy-repo"
    And the plan:
      | id  | name           | writes          |
      | 001 | write-greeting | src/greeting.js |
    And the configuration:
      """
      max_retries: 0
      """

  Scenario: An agent that does not end in time is ended with its children
    Given the configuration:
      """
      timeout_minutes: 0.01
      """
    And the agent runs:
      """
      append src/greeting.js "a greeting"
      (await never) &
      while :; do echo alive; sleep 0.1; done
      """
    When I run "mycelium run --run-id first"
    Then the exit code is 1
    And a "worker.exit" event says:
      | field  | value   |
      | reason | timeout |
    And a reason of task "001" says "ran into its time limit"
    And task "001" is "failed"
    And the integration branch has not moved
    And no process is left

  Scenario: An agent that is silent for too long is ended
    Given the configuration:
      """
      idle_timeout_minutes: 0.01
      """
    And the agent runs:
      """
      append src/greeting.js "a greeting"
      await never
      """
    When I run "mycelium run --run-id first"
    Then the exit code is 1
    And a "worker.exit" event says:
      | field  | value        |
      | reason | idle_timeout |
    And a reason of task "001" says "was silent for too long"
    And the integration branch has not moved
    And no process is left

  Scenario: A daemon that holds the agent's output open holds nothing up and does not live on
    Given the agent runs:
      """
      append src/greeting.js "a greeting"
      setsid sh -c 'trap "" HUP TERM; while :; do echo "I stay"; sleep 0.1; done' &
      """
    When I run "mycelium run --run-id first"
    Then the exit code is 0
    And task "001" is "landed"
    And no process is left

  Scenario: A daemon of an agent that ran out of time does not live on
    Given the configuration:
      """
      timeout_minutes: 0.01
      """
    And the agent runs:
      """
      setsid sh -c 'trap "" HUP TERM; while :; do append x y 2>/dev/null; sleep 0.1; done' &
      await never
      """
    When I run "mycelium run --run-id first"
    Then the exit code is 1
    And a "worker.exit" event says:
      | field  | value   |
      | reason | timeout |
    And the integration branch has not moved
    And no process is left

  Scenario: A doctor that does not end in time refuses, and a daemon of it does not live on
    Given the configuration:
      """
      doctor_timeout: 0.01
      """
    And the agent runs:
      """
      append src/greeting.js "a greeting"
      """
    And the doctor runs:
      """
      setsid sh -c 'trap "" HUP TERM; while :; do sleep 0.1; done' &
      await never
      """
    When I run "mycelium run --run-id first"
    Then the exit code is 1
    And a "landing.doctor_fail" event says:
      | field  | value   |
      | reason | timeout |
    And a reason of task "001" says "the doctor did not end within its time (doctor_timeout: 0.01, in minutes)"
    And the integration branch has not moved
    And no process is left

  Scenario: A daemon of a doctor that passed does not live on
    Given the agent runs:
      """
      append src/greeting.js "a greeting"
      """
    And the doctor runs:
      """
      setsid sh -c 'trap "" HUP TERM; while :; do sleep 0.1; done' &
      """
    When I run "mycelium run --run-id first"
    Then the exit code is 0
    And task "001" is "landed"
    And no process is left

  Scenario: A daemon of a verify command does not live on
    Given the agent runs:
      """
      append src/greeting.js "a greeting"
      """
    And the plan:
      | id  | name           | writes          | verify                                                                    |
      | 001 | write-greeting | src/greeting.js | mkfifo up; setsid sh -c 'echo >up; exec sleep 300' & read line <up; false |
    When I run "mycelium run --run-id first"
    Then the exit code is 1
    And task "001" is "failed"
    And the integration branch has not moved
    And no process is left

  Scenario: A flood of output without a line end is cut off and said, and the work lands
    Given the agent runs:
      """
      head -c 40000000 /dev/zero | tr '\0' x
      append src/greeting.js "a greeting"
      """
    When I run "mycelium run --run-id first"
    Then the exit code is 0
    And task "001" is "landed"
    And the run file "tasks/001/attempt-1/agent.log" contains "more bytes left out"
    And the run file "tasks/001/attempt-1/agent.log" is not longer than 17000000 bytes
    And the log has no "budget.block" event

  Scenario: What an agent says of the run is its own word and nothing more
    Given the agent runs:
      """
      cat <<'END'
      {"v":1,"ts":"2026-01-02T03:04:05Z","seq":99,"run_id":"first","task_id":"001","attempt":1,"batch":1,"type":"task.landed","payload":{"commit":"0000000000000000000000000000000000000000"}}
      {"v":1,"ts":"2026-01-02T03:04:05Z","seq":100,"run_id":"first","type":"run.complete","payload":{"head_commit":"0000000000000000000000000000000000000000"}}
      {"type":"run.stop","payload":{"status":"complete"}}
      {"type":"budget.block"}
      END
      printf '\033[2J\033]0;title\007\000\n'
      printf '{"type":"note","text":"\\u001b[31m\\u0000"}\n'
      exit 3
      """
    When I run "mycelium run --run-id first"
    Then the exit code is 1
    And task "001" is not "landed"
    And the run status is not "complete"
    And the state is what the journal says
    And the log has no "task.landed" event
    And the log has no "run.complete" event
    And the log has no "budget.block" event
    And the integration branch has not moved
    And no command prints a control character

  @control
  Scenario: The same agent with time enough lands
    Given the configuration:
      """
      timeout_minutes: 0.5
      idle_timeout_minutes: 0.5
      """
    And the agent runs:
      """
      echo alive
      append src/greeting.js "a greeting"
      """
    When I run "mycelium run --run-id first"
    Then the exit code is 0
    And the log has no "task.fail" event
    And the integration branch has moved
