# Not in containers: the engine does not see the small disk of the home; for its own disk see G2.1.
@G2.10 @tier2 @mock
Feature: G2.10 A full disk is survived
  Wherever the disk gets full, the run stops with what is full and where, charges no task, leaves nothing half written and
  the repository sound, and goes on once there is room.

  Background:
    Given the repository "toy-repo"
    And a home with room for 4096 KiB
    And the plan:
      | id  | name           | writes          |
      | 001 | write-greeting | src/greeting.js |
    And the configuration:
      """
      max_retries: 0
      """
    And the agent runs:
      """
      append src/greeting.js "a greeting"
      """

  Scenario: Full before the run starts, nothing has begun
    When the disk of the home is full
    And I run "mycelium run --run-id first"
    Then the exit code is 4
    And standard error says "No space left on device"
    And standard error says "mycelium-home"
    And nothing is printed on standard output
    And no ref has changed
    And git finds nothing wrong in the repository
    When the disk of the home has room again
    And I run "mycelium run --run-id second"
    Then the exit code is 0
    And the run status is "complete"
    And the integration branch holds the file "src/greeting.js"
    And git finds nothing wrong in the repository

  Scenario: Full while an agent works, its attempt is lost and not charged
    Given the agent runs:
      """
      if once full; then
        fill_disk
        append src/greeting.js "$(head -c 20000 /dev/zero | tr '\0' x)"
      fi
      append src/greeting.js "a greeting"
      """
    When I run "mycelium run --run-id first"
    Then the exit code is 4
    And standard error says "No space left on device"
    And standard error says "mycelium-home"
    And no ref has changed
    And git finds nothing wrong in the repository
    And no process is left
    When the disk of the home has room again
    And I run "mycelium resume --run-id first"
    Then the exit code is 0
    And the run status is "complete"
    And the state is what the journal says
    And task "001" is "landed"
    And the log has no "task.fail" event
    And the log has no "task.retry" event
    And the log has 1 "landing.done" event
    And git finds nothing wrong in the repository
    And no process is left

  Scenario: Full while the agent reports, nothing that it said is half written
    Given the agent runs:
      """
      append src/greeting.js "a greeting"
      if once full; then
        fill_disk
        i=0; while [ $i -lt 200 ]; do
          echo "{\"type\":\"note\",\"text\":\"number $i of many that are long enough to need more room than there is\"}"
          i=$((i+1))
        done
      fi
      """
    When I run "mycelium run --run-id first"
    Then the exit code is 4
    And standard error says "No space left on device"
    And no ref has changed
    And no process is left
    When the disk of the home has room again
    And I run "mycelium resume --run-id first"
    Then the exit code is 0
    And the state is what the journal says
    And task "001" is "landed"
    And the log has no "task.fail" event
    And the log has 1 "landing.done" event

  Scenario: Full while the doctor runs, the branch does not move, and the work is kept
    Given the doctor runs:
      """
      if once full; then fill_disk; head -c 100000 /dev/zero | tr '\0' x; fi
      """
    When I run "mycelium run --run-id first"
    Then the exit code is 4
    And standard error says "No space left on device"
    And standard error says "mycelium-home"
    And the integration branch has not moved
    And git finds nothing wrong in the repository
    And no process is left
    When the disk of the home has room again
    And I run "mycelium resume --run-id first"
    Then the exit code is 0
    And the run status is "complete"
    And the state is what the journal says
    And task "001" has not made more than 1 attempt
    And the log has no "landing.doctor_fail" event
    And the log has 1 "landing.done" event
    And the integration branch holds the file "src/greeting.js"
    And git finds nothing wrong in the repository

  Scenario: While the disk is full, resume says so again and changes nothing, and looking works
    Given the doctor runs:
      """
      if once full; then fill_disk; head -c 100000 /dev/zero | tr '\0' x; fi
      """
    When I run "mycelium run --run-id first"
    And I run "mycelium status --run-id first"
    Then the exit code is 0
    And the last command has changed no file of a run
    When I run "mycelium resume --run-id first"
    Then the exit code is 4
    And standard error says "No space left on device"
    And the integration branch has not moved
    When the disk of the home has room again
    And I run "mycelium resume --run-id first"
    Then the exit code is 0
    And task "001" is "landed"
    And task "001" has not made more than 1 attempt

  @control
  Scenario: With room enough the same work lands in one go
    When I run "mycelium run --run-id first"
    Then the exit code is 0
    And the run status is "complete"
    And the integration branch has moved
    And the log has no "run.resume" event
    And git finds nothing wrong in the repository
