@G2.4 @tier2 @docker
Feature: G2.4 A killed worker container is restarted
  A container that somebody kills or removes, or that stands still for too long, is a failed attempt: it is tried again in
  a fresh one, and nothing of the killed one lands.

  Background:
    Given the repository "toy-repo"
    And the plan:
      | id  | name           | writes                       |
      | 001 | write-greeting | src/greeting.js, src/half.js |
    And the agent runs:
      """
      if once first; then
        append src/half.js "half of the work"
        signal at-work
        await may-go-on
      fi
      append src/greeting.js "a greeting"
      """

  @chaos
  Scenario: The container is killed while its agent works, and the task is tried again
    Given the configuration:
      """
      max_retries: 1
      """
    When I start "mycelium run --run-id first"
    And a script signals "at-work"
    And the container of task "001" is killed
    And the started command has ended
    Then the exit code is 0
    And the run status is "complete"
    And task "001" is "landed"
    And task "001" has made 2 attempts
    And the log has 1 "task.retry" event
    And the log has 1 "landing.done" event
    And the integration branch holds the file "src/greeting.js"
    And the integration branch does not hold the file "src/half.js"

  @chaos
  Scenario: The container is removed while its agent works, and the task is tried again
    Given the configuration:
      """
      max_retries: 1
      """
    When I start "mycelium run --run-id first"
    And a script signals "at-work"
    And the container of task "001" is removed
    And the started command has ended
    Then the exit code is 0
    And task "001" is "landed"
    And task "001" has made 2 attempts
    And the integration branch holds the file "src/greeting.js"
    And the integration branch does not hold the file "src/half.js"

  @chaos
  Scenario: The container is paused for too long, is ended all the same, and the task is tried again
    Given the configuration:
      """
      max_retries: 1
      idle_timeout_minutes: 0.1
      """
    When I start "mycelium run --run-id first"
    And a script signals "at-work"
    And the container of task "001" is paused
    And the started command has ended
    Then the exit code is 0
    And a "worker.exit" event says:
      | field  | value        |
      | reason | idle_timeout |
    And task "001" is "landed"
    And task "001" has made 2 attempts
    And the integration branch does not hold the file "src/half.js"
    And no container is at work

  @chaos
  Scenario: The container is paused, the run is interrupted, and resume does the work
    Given the configuration:
      """
      max_retries: 0
      """
    When I start "mycelium run --run-id first"
    And a script signals "at-work"
    And the container of task "001" is paused
    And the started command gets SIGINT
    And the started command has ended
    Then the exit code is 130
    And the integration branch has not moved
    And no container is at work
    When I run "mycelium resume --run-id first"
    Then the exit code is 0
    And task "001" is "landed"
    And the log has no "task.fail" event
    And the integration branch does not hold the file "src/half.js"
    And no container is left

  @chaos
  Scenario: The container is paused for a while, and the first attempt lands
    Given the configuration:
      """
      max_retries: 0
      """
    When I start "mycelium run --run-id first"
    And a script signals "at-work"
    And the container of task "001" is paused
    And the container of task "001" goes on
    And a script that awaits "may-go-on" goes on
    And the started command has ended
    Then the exit code is 0
    And task "001" is "landed"
    And task "001" has not made more than 1 attempt
    And no container is left

  @chaos
  Scenario: The container is started again while its agent works, and the task is tried again
    Given the configuration:
      """
      max_retries: 1
      """
    When I start "mycelium run --run-id first"
    And a script signals "at-work"
    And the container of task "001" is restarted
    And the started command has ended
    Then the exit code is 0
    And task "001" is "landed"
    And task "001" has made 2 attempts
    And the log has 1 "task.retry" event
    And the integration branch does not hold the file "src/half.js"
    And no container is at work

  @chaos
  Scenario: The container of the doctor is killed, and the doctor is run again
    Given the configuration:
      """
      max_retries: 0
      """
    And the agent runs:
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
    And the container of the doctor is killed
    And the started command has ended
    Then the exit code is 0
    And task "001" is "landed"
    And task "001" has not made more than 1 attempt
    And the log has no "landing.doctor_fail" event
    And the log has 1 "landing.done" event

  @chaos
  Scenario: The container of the doctor is stopped, and what the doctor answers to that is no verdict
    Given the configuration:
      """
      max_retries: 0
      """
    And the agent runs:
      """
      append src/greeting.js "a greeting"
      """
    And the doctor runs:
      """
      if once first; then
        trap "exit 0" TERM
        signal at-work
        sleep 600 & wait $!
      fi
      exit 1
      """
    When I start "mycelium run --run-id first"
    And a script signals "at-work"
    And the container of the doctor is stopped
    And the started command has ended
    Then the exit code is 1
    And task "001" is "failed"
    And a reason of task "001" says "the doctor failed"
    And the integration branch has not moved

  @chaos
  Scenario: A doctor that kills itself each time has failed
    Given the configuration:
      """
      max_retries: 0
      """
    And the agent runs:
      """
      append src/greeting.js "a greeting"
      """
    And the doctor runs:
      """
      kill -KILL $$
      """
    When I run "mycelium run --run-id first"
    Then the exit code is 1
    And task "001" is "failed"
    And a reason of task "001" says "the doctor was ended by a signal"
    And the integration branch has not moved

  @chaos
  Scenario: A validator's command that a kill ended is run again
    Given the configuration:
      """
      max_retries: 0
      test_validator:
        mode: block
        provider: command
        command: |
          echo asked >>.git/asked
          if [ "$(wc -l <.git/asked)" = 1 ]; then kill -KILL $$; fi
          echo '{"pass": true, "summary": "good", "issues": []}'
      """
    And the agent runs:
      """
      append src/greeting.js "a greeting"
      """
    When I run "mycelium run --run-id first"
    Then the exit code is 0
    And task "001" is "landed"
    And task "001" has not made more than 1 attempt
    And the log has no "validator.block" event

  Scenario: Without a retry the task fails, and nothing of it lands
    Given the configuration:
      """
      max_retries: 0
      """
    When I start "mycelium run --run-id first"
    And a script signals "at-work"
    And the container of task "001" is killed
    And the started command has ended
    Then the exit code is 1
    And the run status is "failed"
    And task "001" is "failed"
    And task "001" has not made more than 1 attempt
    And the integration branch has not moved

  @control
  Scenario: Nobody kills it, and the first attempt lands
    Given the configuration:
      """
      max_retries: 1
      """
    When I start "mycelium run --run-id first"
    And a script signals "at-work"
    And a script that awaits "may-go-on" goes on
    And the started command has ended
    Then the exit code is 0
    And task "001" is "landed"
    And task "001" has not made more than 1 attempt
    And the log has no "task.retry" event
    And the integration branch holds the file "src/half.js"
    And no container is left
