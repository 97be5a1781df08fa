@G2.6 @tier2 @docker
Feature: G2.6 Mounts are writable and owned by the user
  A command in a container can write its workspace, and what it leaves belongs to the caller, so that it can be landed,
  read and removed.

  Background:
    Given the repository "toy-repo"
    And the plan:
      | id  | name           | writes                        |
      | 001 | write-greeting | src/greeting.js, src/new/a.js |
    And the configuration:
      """
      max_retries: 0
      """

  Scenario: What the caller's user writes is the caller's, and the work lands
    Given the configuration:
      """
      cleanup: {workspaces: never}
      """
    And the agent runs:
      """
      append src/new/a.js "in a folder of its own"
      echo "$(id -u):$(id -g)" >src/greeting.js
      mkdir -m 700 src/new/closed
      touch package.json
      """
    When I run "mycelium run --run-id first"
    Then the exit code is 0
    And task "001" is "landed"
    And the integration branch holds the file "src/new/a.js"
    And the file "src/greeting.js" on the integration branch says who the caller is
    And no file belongs to anybody but the caller
    And no container is left

  Scenario: A command runs as the user that is asked for
    Given the configuration:
      """
      docker: {user: "1234:1234"}
      """
    And the agent runs:
      """
      echo "I am $(id -u):$(id -g)"
      exit 3
      """
    When I run "mycelium run --run-id first"
    Then the exit code is 1
    And the run file "tasks/001/attempt-1/agent.log" contains "I am 1234:1234"
    And the integration branch has not moved
    And no file belongs to anybody but the caller

  Scenario: What a command brings along can not be changed by it
    Given the agent runs:
      """
      if echo more >>"$MYCELIUM_TASK_SPEC"; then echo written >src/greeting.js; else echo refused >src/greeting.js; fi
      """
    When I run "mycelium run --run-id first"
    Then the exit code is 0
    And the file "src/greeting.js" on the integration branch does not contain "written"
    And no file belongs to anybody but the caller
