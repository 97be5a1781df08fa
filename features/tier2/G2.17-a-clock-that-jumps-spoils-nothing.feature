@G2.17 @tier2 @chaos
Feature: G2.17 A clock that jumps spoils nothing
  Somebody sets the machine's clock, or it loses its time. No limit runs out early or never for that, no order changes,
  and it is clear which run is the latest.

  Background:
    Given the repository "toy-repo"
    And a clock that can be set
    And the plan:
      | id  | name           | writes          |
      | 001 | write-greeting | src/greeting.js |
      | 002 | write-thanks   | src/thanks.js   |
    And the configuration:
      """
      max_parallel: 1
      max_retries: 0
      """
    And the agent of task "001" runs:
      """
      echo '{"type":"note","text":"before"}'
      if once first; then
        signal at-work
        await may-go-on
      fi
      echo '{"type":"note","text":"after"}'
      append src/greeting.js "a greeting"
      """
    And the agent of task "002" runs:
      """
      append src/thanks.js "a thanks"
      """

  @mock @docker
  Scenario: Set ahead over a day's end while an agent works, no limit has run out
    When I start "mycelium run --run-id first"
    And a script signals "at-work"
    And the clock is set ahead by 26 hours
    And a script that awaits "may-go-on" goes on
    And the started command has ended
    Then the exit code is 0
    And the stamps of the log go ahead by 26 hours
    And the run status is "complete"
    And task "001" is "landed"
    And task "001" has not made more than 1 attempt
    And the log has no "task.fail" event
    And the state is what the journal says
    And git finds nothing wrong in the repository
    And no process is left

  @mock @docker
  Scenario: Set back while an agent works, its events stay in their order
    When I start "mycelium run --run-id first"
    And a script signals "at-work"
    And the clock is set back by 3 hours
    And a script that awaits "may-go-on" goes on
    And the started command has ended
    Then the exit code is 0
    And the stamps of the log go back by 3 hours
    And task "001" is "landed"
    And task "002" is "landed"
    And task "001" has not made more than 1 attempt
    And the state is what the journal says
    When I run "mycelium logs timeline --json"
    Then the exit code is 0
    And standard output is valid by the schema "logs-timeline"
    When I run "mycelium logs --json"
    Then standard output lists every event of the log
    And standard output lists the events of each attempt before its end

  @mock @docker
  Scenario: Set back while an agent does not end, its limit runs out all the same
    Given the configuration:
      """
      timeout_minutes: 0.2
      """
    And the agent of task "001" runs:
      """
      append src/greeting.js "a greeting"
      signal at-work
      await never
      """
    When I start "mycelium run --run-id first"
    And a script signals "at-work"
    And the clock is set back by 3 hours
    And the started command has ended
    Then the exit code is 1
    And the stamps of the log go back by 3 hours
    And a "worker.exit" event says:
      | field  | value   |
      | reason | timeout |
    And task "001" is "failed"
    And task "002" is "landed"
    And the integration branch does not hold the file "src/greeting.js"
    And no process is left

  @mock @docker
  Scenario: Lost while an agent works, the work lands and the repository is sound
    When I start "mycelium run --run-id first"
    And a script signals "at-work"
    And the clock is set to the year 1970
    And a script that awaits "may-go-on" goes on
    And the started command has ended
    Then the exit code is 0
    And a stamp of the log is of the year 1970
    And task "001" is "landed"
    And task "001" has not made more than 1 attempt
    And the state is what the journal says
    And git finds nothing wrong in the repository

  @mock
  Scenario Outline: Set while nobody is at work, resume goes on
    Given the agent of task "001" runs:
      """
      if once first; then
        signal at-work
        await never
      fi
      append src/greeting.js "a greeting"
      """
    When I start "mycelium run --run-id first"
    And a script signals "at-work"
    And the started command is killed
    And the clock is set <how>
    And I run "mycelium resume"
    Then the exit code is 0
    And <seen>
    And the run status is "complete"
    And task "001" is "landed"
    And task "002" is "landed"
    And the log has no "task.fail" event
    And the log has 2 "landing.done" events
    And the state is what the journal says
    And git finds nothing wrong in the repository
    And no process is left

    Examples:
      | how               | seen                                       |
      | ahead by 26 hours | the stamps of the log go ahead by 26 hours |
      | back by 3 hours   | the stamps of the log go back by 3 hours   |
      | to the year 1970  | a stamp of the log is of the year 1970     |

  @docker
  Scenario Outline: Set while an agent works that nobody follows, resume takes its result
    When I start "mycelium run --run-id first"
    And a script signals "at-work"
    And the started command is killed
    And the clock is set <how>
    And a script that awaits "may-go-on" goes on
    And I run "mycelium resume"
    Then the exit code is 0
    And <seen>
    And the run status is "complete"
    And task "001" is "landed"
    And task "002" is "landed"
    And task "001" has not made more than 1 attempt
    And the log has no "task.fail" event
    And the log has 2 "landing.done" events
    And the state is what the journal says
    And git finds nothing wrong in the repository
    And no process is left

    Examples:
      | how               | seen                                       |
      | ahead by 26 hours | the stamps of the log go ahead by 26 hours |
      | back by 3 hours   | the stamps of the log go back by 3 hours   |
      | to the year 1970  | a stamp of the log is of the year 1970     |

  @mock @docker
  Scenario: Set back between two runs, the latest is the one that began last
    Given the agent of task "001" runs:
      """
      append src/greeting.js "a greeting"
      """
    When I run "mycelium run --run-id dawn --tasks 001"
    And the clock is set to the year 1970
    And I run "mycelium run --run-id dusk --tasks 002"
    Then the exit code is 0
    And a stamp of the log is of the year 1970
    When I run "mycelium status"
    Then the exit code is 0
    And standard output says "dusk"
    And standard output does not say "dawn"
    When I run "mycelium clean --all --force"
    Then the exit code is 0
    And no workspace, object or lock is left

  @control @mock @docker
  Scenario: While nobody sets it the same work lands
    When I start "mycelium run --run-id first"
    And a script signals "at-work"
    And a script that awaits "may-go-on" goes on
    And the started command has ended
    Then the exit code is 0
    And task "001" is "landed"
    And the integration branch has moved
    And the log has no "task.fail" event
