@G2.7 @tier2 @docker
Feature: G2.7 Containers are cleaned up
  A container goes when its command has succeeded. One of a command that failed stays for who looks into it, until clean
  removes it; somebody else's are never touched.

  Background:
    Given the repository "toy-repo"
    And a container of another project
    And the plan:
      | id  | name           | writes          |
      | 001 | write-greeting | src/greeting.js |
    And the configuration:
      """
      max_retries: 0
      """

  Scenario: The container of a command that failed stays until it is cleaned
    Given the agent runs:
      """
      append src/greeting.js "a greeting"
      exit 3
      """
    When I run "mycelium run --run-id first"
    Then the exit code is 1
    And 2 containers are there
    When I run "mycelium doctor"
    Then standard output says "on the engine's disk"
    When I run "mycelium clean --all --force --dry-run --json"
    Then the exit code is 0
    And standard output is valid by the schema "clean"
    And each listed container is as large as the engine says
    And 2 containers are there
    When I run "mycelium clean --all --force"
    Then the exit code is 0
    And no container is left
    And the container of the other project is still there
    And the integration branch has not moved

  Scenario: A crash leaves a container, and clean removes it
    Given the agent runs:
      """
      signal at-work
      await never
      """
    When I start "mycelium run --run-id first"
    And a script signals "at-work"
    And the started command is killed
    Then 2 containers are there
    When I run "mycelium clean --all --force"
    Then the exit code is 0
    And no container is left
    And the container of the other project is still there

  @chaos
  Scenario: Another machine has its project at the same path and the same engine, and cleans its own alone
    Given the agent runs:
      """
      signal at-work
      await may-go-on
      append src/greeting.js "a greeting of attempt $MYCELIUM_ATTEMPT"
      """
    When I start "mycelium run --run-id first"
    And a script signals "at-work"
    And the started command is killed
    And another machine has its home at the same path
    And I run "mycelium clean --all --force"
    Then the exit code is 0
    And 2 containers are there
    When this machine has its own home again
    And a script that awaits "may-go-on" goes on
    And the container of task "001" has ended
    And I run "mycelium resume --run-id first"
    Then the exit code is 0
    And task "001" is "landed"
    And the log has no "worker.lost" event
    And the file "src/greeting.js" on the integration branch contains "of attempt 1"
    And no container is left
    And the container of the other project is still there

  Scenario: None is kept where the configuration says so
    Given the configuration:
      """
      cleanup: {containers: always}
      """
    And the agent runs:
      """
      exit 3
      """
    When I run "mycelium run --run-id first"
    Then the exit code is 1
    And no container is left
    And the container of the other project is still there

  Scenario: All are kept where the configuration says so
    Given the configuration:
      """
      cleanup: {containers: never}
      """
    And the agent runs:
      """
      append src/greeting.js "a greeting"
      """
    When I run "mycelium run --run-id first"
    Then the exit code is 0
    And 3 containers are there
    When I run "mycelium clean --all --force"
    Then the exit code is 0
    And no container is left
    And the container of the other project is still there

  @control
  Scenario: Where every command succeeds nothing stays
    Given the agent runs:
      """
      append src/greeting.js "a greeting"
      """
    When I run "mycelium run --run-id first"
    Then the exit code is 0
    And task "001" is "landed"
    And no container is left
    And the container of the other project is still there
