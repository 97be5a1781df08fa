@G2.5 @tier2 @docker
Feature: G2.5 Containers are labelled, found and reattached after a crash
  A container says whose it is. When the orchestrator dies its agents go on, and resume finds them by their labels: it
  follows one that is at work, takes the result of one that has ended, and takes nothing for a result that is none.

  Background:
    Given the repository "toy-repo"
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
        usage 100 10
        signal at-work
        await may-go-on
        append src/greeting.js "a greeting of the first attempt"
        exit 0
      fi
      append src/greeting.js "a greeting of another attempt"
      """

  Scenario: While an agent works, its container says whose it is
    When I start "mycelium run --run-id first"
    And a script signals "at-work"
    Then the agent of task "001" is at work in a container labelled:
      | label            | value |
      | mycelium.project |       |
      | mycelium.home    |       |
      | mycelium.run_id  | first |
      | mycelium.task_id | 001   |
      | mycelium.attempt | 1     |
      | mycelium.purpose | agent |
    When a script that awaits "may-go-on" goes on
    And the started command has ended
    Then the exit code is 0
    And no container is left

  @chaos
  Scenario: The orchestrator is killed while an agent works, and resume takes its result
    When I start "mycelium run --run-id first"
    And a script signals "at-work"
    And the started command is killed
    And a script that awaits "may-go-on" goes on
    And the container of task "001" has ended
    And I run "mycelium resume --run-id first"
    Then the exit code is 0
    And the run status is "complete"
    And task "001" is "landed"
    And task "001" has not made more than 1 attempt
    And the log has a "worker.reattach" event for task "001"
    And the log has no "worker.lost" event
    And the log has 1 "usage.update" event
    And the log has 1 "landing.done" event
    And the file "src/greeting.js" on the integration branch contains "of the first attempt"
    And the file "src/greeting.js" on the integration branch does not contain "of another attempt"
    And no container is left

  @chaos
  Scenario: A second resume takes the result, too, where the first died before it wrote down what the agent printed
    When I start "mycelium run --run-id first"
    And a script signals "at-work"
    And the started command is killed
    And the run file "tasks/001/attempt-1/events.jsonl" is now missing
    And a script that awaits "may-go-on" goes on
    And the container of task "001" has ended
    And I run "mycelium resume --run-id first"
    Then the exit code is 0
    And task "001" is "landed"
    And the log has a "worker.reattach" event for task "001"
    And the log has 1 "usage.update" event
    And the file "src/greeting.js" on the integration branch contains "of the first attempt"
    And the file "src/greeting.js" on the integration branch does not contain "of another attempt"
    And no container is left

  @chaos @timeout(3m)
  Scenario: What an agent printed is not judged by its rest, where the engine has forgotten the beginning
    Given the configuration:
      """
      budgets: {mode: block, max_tokens_per_task: 1000}
      """
    And the agent runs:
      """
      signal at-work
      await may-go-on
      usage 5000 10
      yes "$(head -c 1000 /dev/zero | tr '\0' x)" | head -c 160000000
      usage 100 10
      append src/greeting.js "a greeting"
      """
    When I start "mycelium run --run-id first"
    And a script signals "at-work"
    And the started command is killed
    And a script that awaits "may-go-on" goes on
    And the container of task "001" has ended
    And I run "mycelium resume --run-id first"
    Then the exit code is 1
    And task "001" is "failed"
    And a reason of task "001" says "usage that cannot be read"
    And the run file "tasks/001/attempt-1/agent.log" contains "[mycelium: output lost"
    And the integration branch has not moved

  @chaos
  Scenario: Resume follows an agent that is still at work
    When I start "mycelium run --run-id first"
    And a script signals "at-work"
    And the started command is killed
    And I start "mycelium resume --run-id first"
    And a script that awaits "may-go-on" goes on
    And the started command has ended
    Then the exit code is 0
    And task "001" is "landed"
    And task "001" has not made more than 1 attempt
    And the log has a "container.reattach" event
    And the log has no "worker.lost" event
    And the log has 1 "usage.update" event
    And the file "src/greeting.js" on the integration branch contains "of the first attempt"
    And no container is left

  @chaos
  Scenario: A container that never started is not taken for finished work
    When I start "mycelium run --run-id first"
    And a script signals "at-work"
    And the started command is killed
    And the container of task "001" is replaced by one that never started
    And I run "mycelium resume --run-id first"
    Then the exit code is 0
    And the log has a "worker.lost" event for task "001"
    And the log has no "worker.reattach" event
    And task "001" is "landed"
    And task "001" has made 2 attempts
    And the log has no "task.fail" event
    And the file "src/greeting.js" on the integration branch contains "of another attempt"
    And the file "src/greeting.js" on the integration branch does not contain "of the first attempt"
    And no container is left

  @chaos
  Scenario: A container that is gone is a lost attempt, which is done again and not charged
    When I start "mycelium run --run-id first"
    And a script signals "at-work"
    And the started command is killed
    And the container of task "001" is removed
    And I run "mycelium resume --run-id first"
    Then the exit code is 0
    And the log has a "worker.lost" event for task "001"
    And task "001" is "landed"
    And task "001" has made 2 attempts
    And the log has no "task.fail" event
    And the file "src/greeting.js" on the integration branch contains "of another attempt"
    And no container is left

  @chaos
  Scenario: Two projects of one name have runs of one name at the same engine, and neither takes the other's containers
    Given a second place like this one
    When I start "mycelium run --project same --run-id first"
    And a script signals "at-work"
    And the started command is killed
    And I run "mycelium run --project same --run-id first" in the second place
    And I run "mycelium resume --project same --run-id first" in the second place
    And I run "mycelium clean --project same --all --force" in the second place
    And a script that awaits "may-go-on" goes on
    And the container of task "001" has ended
    And I run "mycelium resume --project same --run-id first"
    Then the exit code is 0
    And task "001" is "landed"
    And task "001" has not made more than 1 attempt
    And the log has a "worker.reattach" event for task "001"
    And the log has no "worker.lost" event
    And the file "src/greeting.js" on the integration branch contains "of the first attempt"
    And the file "src/greeting.js" on the integration branch does not contain "of another attempt"
    And the file "src/greeting.js" on the integration branch of the second place contains "of another attempt"
    And no container is left

  @chaos @timeout(3m)
  Scenario: At an engine on another machine, resume takes the result of an agent that has ended, and its files
    Given a container engine of its own on another machine
    And the agent runs:
      """
      usage 100 10
      if [ "$MYCELIUM_ATTEMPT" = 1 ]; then
        until [ -e go-on ]; do sleep 0.1; done
        rm go-on
        append src/greeting.js "a greeting of the first attempt"
        exit 0
      fi
      append src/greeting.js "a greeting of another attempt"
      """
    When I start "mycelium run --run-id first"
    And the log says that the agent of task "001" is at work
    And the started command is killed
    And the file "go-on" appears in the container of task "001"
    And the container of task "001" has ended
    And I run "mycelium resume --run-id first"
    Then the exit code is 0
    And the run status is "complete"
    And task "001" is "landed"
    And task "001" has not made more than 1 attempt
    And the log has a "worker.reattach" event for task "001"
    And the log has no "worker.lost" event
    And the log has 1 "usage.update" event
    And the log has 1 "landing.done" event
    And the file "src/greeting.js" on the integration branch contains "of the first attempt"
    And the file "src/greeting.js" on the integration branch does not contain "of another attempt"
    And the integration branch does not hold the file "go-on"
    And no container is left
    And no volume of the engine is left

  @chaos @timeout(3m)
  Scenario: At an engine on another machine, resume follows an agent that is still at work
    Given a container engine of its own on another machine
    And the agent runs:
      """
      until [ -e go-on ]; do sleep 0.1; done
      rm go-on
      append src/greeting.js "a greeting of attempt $MYCELIUM_ATTEMPT"
      """
    When I start "mycelium run --run-id first"
    And the log says that the agent of task "001" is at work
    And the started command is killed
    And I start "mycelium resume --run-id first"
    And the file "go-on" appears in the container of task "001"
    And the started command has ended
    Then the exit code is 0
    And task "001" is "landed"
    And task "001" has not made more than 1 attempt
    And the log has no "worker.lost" event
    And the log has 1 "landing.done" event
    And the file "src/greeting.js" on the integration branch contains "of attempt 1"
    And no container is left
    And no volume of the engine is left

  @chaos @timeout(3m)
  Scenario: At an engine on another machine, a container that is gone is a lost attempt, which is done again and not charged
    Given a container engine of its own on another machine
    And the agent runs:
      """
      if [ "$MYCELIUM_ATTEMPT" = 1 ]; then
        append src/half.js "half of the work"
        sleep 600
      fi
      append src/greeting.js "a greeting of another attempt"
      """
    When I start "mycelium run --run-id first"
    And the log says that the agent of task "001" is at work
    And the started command is killed
    And the container of task "001" is removed
    And I run "mycelium resume --run-id first"
    Then the exit code is 0
    And the log has a "worker.lost" event for task "001"
    And task "001" is "landed"
    And task "001" has made 2 attempts
    And the log has no "task.fail" event
    And the file "src/greeting.js" on the integration branch contains "of another attempt"
    And the integration branch does not hold the file "src/half.js"
    And no container is left
    And no volume of the engine is left

  @chaos @timeout(3m)
  Scenario: Resume reaches the engine by another address, and takes what an agent left in a folder of this machine
    Given a container engine of its own
    When I start "mycelium run --run-id first"
    And a script signals "at-work"
    And the started command is killed
    And the container engine is reached by another address
    And a script that awaits "may-go-on" goes on
    And the container of task "001" has ended
    And I run "mycelium resume --run-id first"
    Then the exit code is 0
    And task "001" is "landed"
    And task "001" has not made more than 1 attempt
    And the log has a "worker.reattach" event for task "001"
    And the log has no "worker.lost" event
    And the log has 1 "landing.done" event
    And the file "src/greeting.js" on the integration branch contains "of the first attempt"
    And no container is left

  @chaos @timeout(3m)
  Scenario: What was carried to an agent is carried back, also where resume reaches the engine by its socket
    Given a container engine of its own
    And the agent runs:
      """
      until [ -e go-on ]; do sleep 0.1; done
      rm go-on
      append src/greeting.js "a greeting of attempt $MYCELIUM_ATTEMPT"
      """
    When the container engine is reached by another address
    And I start "mycelium run --run-id first"
    And the log says that the agent of task "001" is at work
    And the started command is killed
    And the container engine is reached by its own address
    And the file "go-on" appears in the container of task "001"
    And the container of task "001" has ended
    And I run "mycelium resume --run-id first"
    Then the exit code is 0
    And task "001" is "landed"
    And task "001" has not made more than 1 attempt
    And the log has no "worker.lost" event
    And the log has 1 "landing.done" event
    And the file "src/greeting.js" on the integration branch contains "of attempt 1"
    And no container is left
    And no volume of the engine is left

  @chaos
  Scenario Outline: An agent that fails while nobody follows it has failed, whatever the code that it chose
    Given the agent runs:
      """
      signal at-work
      await may-go-on
      exit <code>
      """
    When I start "mycelium run --run-id first"
    And a script signals "at-work"
    And the started command is killed
    And a script that awaits "may-go-on" goes on
    And the container of task "001" has ended
    And I run "mycelium resume --run-id first"
    Then the exit code is 1
    And task "001" is "failed"
    And a reason of task "001" says "exited with <code>"
    And task "001" has not made more than 1 attempt
    And the log has no "worker.lost" event
    And the integration branch has not moved

    Examples:
      | code |
      | 125  |
      | 255  |

  @chaos
  Scenario: A container that somebody started again has no result, and its attempt is done again and not charged
    When I start "mycelium run --run-id first"
    And a script signals "at-work"
    And the started command is killed
    And the container of task "001" is restarted
    And I run "mycelium resume --run-id first"
    Then the exit code is 0
    And the log has a "worker.lost" event for task "001"
    And the log has no "worker.reattach" event
    And task "001" is "landed"
    And task "001" has made 2 attempts
    And the log has no "task.fail" event
    And the file "src/greeting.js" on the integration branch contains "of another attempt"
    And no container is left

  @control
  Scenario: Nobody is killed, and nothing is found again
    When I start "mycelium run --run-id first"
    And a script signals "at-work"
    And a script that awaits "may-go-on" goes on
    And the started command has ended
    Then the exit code is 0
    And task "001" is "landed"
    And the log has no "container.reattach" event
    And the log has no "run.resume" event
    And the file "src/greeting.js" on the integration branch contains "of the first attempt"
