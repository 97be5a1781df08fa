@G1.1 @tier1 @mock @docker
Feature: G1.1 Manifest auto-rescope retries and completes
  When a task changes what its manifest does not allow and "manifest_enforcement" is "warn", the manifest is widened
  where that is possible, the task is tried again, and it completes.

  Background:
    Given the repository "toy-repo"

  Scenario: A task without declared files is widened to what it wrote
    Given the plan:
      | id  | name            | writes |
      | 001 | write-something |        |
    And the configuration:
      """
      manifest_enforcement: warn
      """
    When I run "mycelium run"
    Then the exit code is 0
    And the run status is "complete"
    And task "001" is "landed"
    And task "001" has made 2 attempts
    And the log has these events in order:
      | event          | task |
      | task.start     | 001  |
      | manifest.warn  | 001  |
      | task.rescope   | 001  |
      | task.start     | 001  |
      | task.validated | 001  |
      | task.landed    | 001  |
    And a "task.rescope" event says:
      | field   | value           |
      | files.0 | mock-output.txt |
    And the manifest of task "001" allows "mock-output.txt"
    And the integration branch holds the file "mock-output.txt"
    And the log has no "manifest.block" event
    And the log has no "task.retry" event
    And task "001" has not made more than 2 attempts

  Scenario: The lock of a resource is added where no other task holds it
    Given the configuration:
      """
      manifest_enforcement: warn
      resources:
        - name: sources
          paths: ["src/**"]
      """
    And the plan:
      | id  | name           | writes          |
      | 001 | write-greeting | src/greeting.js |
    When I run "mycelium run"
    Then the exit code is 0
    And task "001" is "landed"
    And a "task.rescope" event says:
      | field   | value   |
      | locks.0 | sources |
    And the integration branch holds the file "src/greeting.js"
    And the log has no "manifest.block" event

  Scenario: A task that writes something else each time is not widened for ever
    Given the plan:
      | id  | name         | writes |
      | 001 | wander-about |        |
    And the agent runs:
      """
      write "src/file-$MYCELIUM_ATTEMPT.js" "again"
      """
    When I run "mycelium run"
    Then the exit code is 1
    And the stop reason is "manifest_block"
    And task "001" is "needs_human_review"
    And task "001" has made 4 attempts
    And the log has 3 "task.rescope" events
    And the integration branch has not moved
    And task "001" has not made more than 4 attempts

  Scenario: In mode "block" nothing is widened
    Given the plan:
      | id  | name            | writes |
      | 001 | write-something |        |
    And the configuration:
      """
      manifest_enforcement: block
      """
    When I run "mycelium run"
    Then the exit code is 1
    And the log has a "manifest.block" event for task "001"
    And the log has no "task.rescope" event
    And the manifest of task "001" does not allow "mock-output.txt"
    And the integration branch has not moved
