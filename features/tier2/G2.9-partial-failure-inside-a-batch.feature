@G2.9 @tier2 @mock @docker
Feature: G2.9 Partial failure inside a batch
  When some tasks of a batch fail, the others land as if those had not been there, unless a gate blocks: then nothing of
  the batch lands and finished work is kept. The exit code is that of the worst outcome.

  Background:
    Given the repository "toy-repo"
    And the configuration:
      """
      max_retries: 0
      """
    And the doctor runs:
      """
      see_tree
      ! grep -rn BROKEN src
      """
    And the plan:
      | id  | name    | writes   | dependencies |
      | 001 | write-a | src/a.js |              |
      | 002 | write-b | src/b.js |              |
      | 003 | write-c | src/c.js |              |
      | 004 | write-d | src/d.js | 001, 003     |
      | 005 | write-e | src/e.js | 002          |

  Scenario Outline: One task of three fails, the others land, and what depends on them goes on: it <what>
    Given the agent runs:
      """
      case "$MYCELIUM_TASK_ID" in
        001) write src/a.js "a" ;;
        002) <deed> ;;
        003) write src/c.js "c" ;;
        004) test -f src/a.js && test -f src/c.js && write src/d.js "d" ;;
      esac
      """
    When I run "mycelium run"
    Then the exit code is 1
    And the run status is "failed"
    And the stop reason is "<reason>"
    And task "001" is "landed"
    And task "002" is "failed"
    And task "003" is "landed"
    And task "004" is "landed"
    And task "005" is not "landed"
    And the integration branch holds the file "src/a.js"
    And the integration branch holds the file "src/c.js"
    And the integration branch holds the file "src/d.js"
    And the integration branch does not hold the file "src/b.js"
    And the log has no "task.start" event for task "005"
    And the log has no "task.landed" event for task "002"
    And no untested commit is on the integration branch
    And the run status is not "complete"
    And the integration branch has lost no commit

    Examples:
      | what                     | reason        | deed                       |
      | exits with 7             | task_failed   | write src/b.js "b"; exit 7 |
      | is killed                | task_failed   | kill -9 $$                 |
      | is refused by the doctor | doctor_failed | write src/b.js "BROKEN"    |

  Scenario: Where every task of a batch fails, nothing lands and nothing more starts
    Given the agent runs:
      """
      exit 1
      """
    When I run "mycelium run"
    Then the exit code is 1
    And task "001" is "failed"
    And task "003" is "failed"
    And the log has 1 "batch.start" event
    And the integration branch has not moved
    And the log has no "landing.intent" event

  Scenario: A gate that blocks one task holds the batch back, and finished work is kept
    Given the configuration:
      """
      manifest_enforcement: block
      """
    And the agent runs:
      """
      case "$MYCELIUM_TASK_ID" in
        001) write src/a.js "a" ;;
        002) write src/b.js "b"; write src/other.js "not mine" ;;
        003) write src/c.js "c" ;;
      esac
      """
    When I run "mycelium run"
    Then the exit code is 1
    And the stop reason is "manifest_block"
    And task "002" is "needs_human_review"
    And task "001" is "validated"
    And task "001" keeps its commit
    And task "003" is "validated"
    And task "003" keeps its commit
    And the integration branch has not moved
    And the log has no "landing.intent" event
    And the log has no "batch.start" event after the "manifest.block" event

  Scenario: A conflict and a failure in one batch: the failure decides the exit code
    Given the plan:
      | id  | name    | writes    |
      | 001 | write-a | README.md |
      | 002 | write-b | README.md |
      | 003 | write-c | src/c.js  |
    And the agent runs:
      """
      test "$MYCELIUM_TASK_ID" != 003
      append README.md "$MYCELIUM_TASK_ID"
      """
    When I run "mycelium run"
    Then the exit code is 1
    And the run status is "failed"
    And task "001" is "landed"
    And task "002" is "needs_human_review"
    And task "003" is "failed"
    And the file "README.md" on the integration branch contains "001"
    And the file "README.md" on the integration branch does not contain "002"
    And the integration branch does not hold the file "src/c.js"
    And no untested commit is on the integration branch
