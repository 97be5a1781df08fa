@G1.18 @tier1 @mock @docker
Feature: G1.18 Dependencies are respected
  A task starts only after everything that it depends on has landed, and works on top of it. What depends on work that
  did not land does not start. A plan whose dependencies make no sense does not run.

  Background:
    Given the repository "toy-repo"

  Scenario: A chain runs link by link, each on top of the last
    Given the plan:
      | id  | name    | writes   | dependencies |
      | 001 | write-a | src/a.js |              |
      | 002 | write-b | src/b.js | 001          |
      | 003 | write-c | src/c.js | 002          |
    And the agent runs:
      """
      case "$MYCELIUM_TASK_ID" in
        001) write src/a.js "a" ;;
        002) test -f src/a.js && write src/b.js "b" ;;
        003) test -f src/a.js && test -f src/b.js && write src/c.js "c" ;;
      esac
      """
    When I run "mycelium run --max-parallel 8"
    Then the exit code is 0
    And the batches are:
      | batch | tasks |
      | 1     | 001   |
      | 2     | 002   |
      | 3     | 003   |
    And the log has these events in order:
      | event       | task |
      | task.landed | 001  |
      | task.start  | 002  |
      | task.landed | 002  |
      | task.start  | 003  |
      | task.landed | 003  |
    And tasks "001" and "002" never run at the same time
    And tasks "002" and "003" never run at the same time
    And the log has no "task.retry" event

  Scenario: Both arms of a fork run together, and the join waits for both
    Given the plan:
      | id  | name  | writes   | dependencies |
      | 004 | join  | src/d.js | 002, 003     |
      | 003 | right | src/c.js | 001          |
      | 002 | left  | src/b.js | 001          |
      | 001 | root  | src/a.js |              |
    When I run "mycelium run --max-parallel 8"
    Then the exit code is 0
    And the batches are:
      | batch | tasks    |
      | 1     | 001      |
      | 2     | 002, 003 |
      | 3     | 004      |
    And task "004" is "landed"
    And tasks "004" and "003" never run at the same time
    And tasks "004" and "002" never run at the same time

  Scenario: What depends on a task that failed does not start, and the rest lands
    Given the plan:
      | id  | name    | writes   | dependencies |
      | 001 | write-a | src/a.js |              |
      | 002 | write-b | src/b.js | 001          |
      | 003 | write-c | src/c.js | 002          |
      | 004 | write-d | src/d.js |              |
    And the configuration:
      """
      max_retries: 0
      """
    And the agent runs:
      """
      test "$MYCELIUM_TASK_ID" = 004 && write src/d.js "d"
      """
    When I run "mycelium run"
    Then the exit code is 1
    And the run status is "failed"
    And the stop reason is "task_failed"
    And task "001" is "failed"
    And task "004" is "landed"
    And task "002" is not "landed"
    And task "003" is not "landed"
    And the log has no "task.start" event for task "002"
    And the log has no "task.start" event for task "003"
    And the integration branch does not hold the file "src/b.js"

  Scenario: What depends on a task that waits for a human does not start
    Given the plan:
      | id  | name    | writes   | dependencies |
      | 001 | write-a | src/a.js |              |
      | 002 | write-b | src/b.js | 001          |
    And the user has the untracked file "src/a.js"
    When I run "mycelium run"
    Then the exit code is 3
    And task "001" is "validated"
    And task "002" is not "landed"
    And the log has no "task.start" event for task "002"
    And the integration branch has not moved

  Scenario: A task without what it depends on is not taken on
    Given the plan:
      | id  | name    | writes   | dependencies |
      | 001 | write-a | src/a.js |              |
      | 002 | write-b | src/b.js | 001          |
    When I run "mycelium run --tasks 002"
    Then the exit code is 2
    And standard error says "001"
    And no run was created
    And the integration branch has not moved

  Scenario Outline: Tasks on disk that make no sense together are refused: <what>
    Given the plan:
      | id  | name    | writes   |
      | 001 | write-a | src/a.js |
      | 002 | write-b | src/b.js |
    And the file ".mycelium/tasks/001-write-a/manifest.json" holds:
      """
      {"id": "<id>", "name": "write-a", "description": "", "dependencies": [<one>],
       "locks": {"reads": [], "writes": []}, "files": {"reads": [], "writes": ["src/a.js"]}, "spec": "spec.md"}
      """
    And the file ".mycelium/tasks/002-write-b/manifest.json" holds:
      """
      {"id": "002", "name": "write-b", "description": "", "dependencies": [<two>],
       "locks": {"reads": [], "writes": []}, "files": {"reads": [], "writes": ["src/b.js"]}, "spec": "spec.md"}
      """
    When I run "mycelium run"
    Then the exit code is 2
    And standard error says "manifest.json:1:"
    And standard error says "<says>"
    And no run was created
    And the integration branch has not moved

    Examples:
      | what                    | id  | one   | two   | says   |
      | a cycle                 | 001 | "002" | "001" | cycle  |
      | a task needing itself   | 001 | "001" |       | itself |
      | an unknown dependency   | 001 | "009" |       | 009    |
      | an id that stands twice | 002 |       |       | 002    |
