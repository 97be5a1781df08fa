@G0.4 @tier0 @mock @docker
Feature: G0.4 A merge conflict never lands and never loops
  Work that does not merge is not forced in. Its task is done again from the new head, a bounded number of times, and
  then waits for a human with both sides of the conflict kept.

  Background:
    Given the repository "conflict-repo"
    And the plan:
      | id  | name         | writes     |
      | 001 | append-left  | shared.txt |
      | 002 | append-right | shared.txt |

  Scenario: The second of two tasks that conflict is done again from the new head
    Given the doctor runs:
      """
      see_tree
      ! grep -n '^<<<<<<<\|^>>>>>>>' shared.txt
      """
    When I run "mycelium run"
    Then the exit code is 0
    And the run status is "complete"
    And the log has 1 "landing.conflict" event
    And a "landing.conflict" event says:
      | field   | value      |
      | task    | 002        |
      | paths.0 | shared.txt |
    And the log has these events in order:
      | event            | task |
      | task.landed      | 001  |
      | landing.conflict | 002  |
      | task.retry       | 002  |
      | task.start       | 002  |
      | task.landed      | 002  |
    And task "001" has made 1 attempt
    And task "002" has made 2 attempts
    And the file "shared.txt" on the integration branch contains "001"
    And the file "shared.txt" on the integration branch contains "002"
    And the file "shared.txt" on the integration branch does not contain "<<<<<<<"
    And the log has no "landing.doctor_fail" event
    And task "002" has not made more than 2 attempts
    And no untested commit is on the integration branch
    And the integration branch has lost no commit

  Scenario: Both sides of the conflict are kept
    When I run "mycelium run"
    Then the exit code is 0
    And the run file "landing/2/conflict.json" contains "shared.txt"
    And the run file "landing/2/conflict.json" contains "common\n001"
    And the run file "landing/2/conflict.json" contains "common\n002"
    And the file "shared.txt" on the integration branch does not contain ">>>>>>>"

  Scenario: Without a retry left, the task waits for a human and its sibling lands
    Given the configuration:
      """
      max_retries: 0
      """
    When I run "mycelium run"
    Then the exit code is 3
    And the run status is "needs_human_review"
    And the stop reason is "review"
    And task "001" is "landed"
    And task "002" is "needs_human_review"
    And a reason of task "002" says "landing.conflict"
    And a reason of task "002" says "shared.txt"
    And a reason of task "002" says "both sides are in landing/2/conflict.json"
    And the log has 1 "landing.conflict" event
    And the log has a "task.review" event for task "002"
    And the file "shared.txt" on the integration branch contains "001"
    And the file "shared.txt" on the integration branch does not contain "002"
    And the log has no "task.landed" event for task "002"
    And task "002" has not made more than 1 attempt
    And the run status is not "complete"

  Scenario: A conflict with work that the doctor refuses is nobody's
    Given the configuration:
      """
      max_retries: 0
      """
    And the plan:
      | id  | name   | writes               |
      | 001 | left   | shared.txt, left.txt |
      | 002 | middle | middle.txt           |
      | 003 | right  | shared.txt           |
    And the agent runs:
      """
      case "$MYCELIUM_TASK_ID" in
        001) append shared.txt "of the first"; write left.txt "BROKEN" ;;
        002) write middle.txt "fine" ;;
        003) append shared.txt "of the third" ;;
      esac
      """
    And the doctor runs:
      """
      see_tree
      ! test -f left.txt
      """
    When I run "mycelium run"
    Then the exit code is 1
    And task "001" is "failed"
    And task "002" is "landed"
    And task "003" is "landed"
    And the log has no "landing.conflict" event
    And the log has no "task.retry" event
    And the file "shared.txt" on the integration branch contains "of the third"
    And the file "shared.txt" on the integration branch does not contain "of the first"
    And task "003" has not made more than 1 attempt
    And no untested commit is on the integration branch
    And the integration branch has lost no commit

  Scenario Outline: A task that conflicts every time gives up after <retries> retries
    Given the plan:
      | id  | name        | writes     |
      | 001 | append-left | shared.txt |
    And the configuration:
      """
      max_retries: <retries>
      """
    And the user has checked out the branch "feature"
    And the agent runs:
      """
      append shared.txt "mine"
      colleague_commits shared.txt "from a colleague, $MYCELIUM_ATTEMPT"
      """
    When I run "mycelium run"
    Then the exit code is 3
    And the run status is "needs_human_review"
    And task "001" is "needs_human_review"
    And task "001" has made <attempts> attempts
    And the log has <attempts> "landing.conflict" events
    And the log has <attempts> "batch.start" events
    And the run file "landing/<attempts>/conflict.json" contains "from a colleague, <attempts>"
    And the run file "landing/<attempts>/conflict.json" contains "mine"
    And the log has no "landing.intent" event
    And the log has no "task.landed" event
    And task "001" has not made more than <attempts> attempts
    And the file "shared.txt" on the integration branch does not contain "mine"
    And the integration branch has lost no commit
    And the user's checkout has not changed

    Examples:
      | retries | attempts |
      | 1       | 2        |
      | 2       | 3        |

  Scenario: What depends on a task in conflict does not start
    Given the plan:
      | id  | name         | writes     | dependencies |
      | 001 | append-left  | shared.txt |              |
      | 002 | append-right | shared.txt |              |
      | 003 | write-notes  | notes.txt  | 002          |
    And the configuration:
      """
      max_retries: 0
      """
    When I run "mycelium run"
    Then the exit code is 3
    And task "002" is "needs_human_review"
    And task "003" is not "landed"
    And the log has no "task.start" event for task "003"
    And the integration branch does not hold the file "notes.txt"

  Scenario: A file that one task deletes and another changes conflicts as well
    Given the configuration:
      """
      max_retries: 0
      """
    And the agent of task "001" runs:
      """
      rm shared.txt
      write other.txt "instead"
      """
    And the agent of task "002" runs:
      """
      append shared.txt "002"
      """
    And the plan:
      | id  | name         | writes                |
      | 001 | remove       | shared.txt, other.txt |
      | 002 | append-right | shared.txt            |
    And the doctor runs:
      """
      see_tree
      """
    When I run "mycelium run"
    Then the exit code is 3
    And task "001" is "landed"
    And task "002" is "needs_human_review"
    And the log has 1 "landing.conflict" event
    And the run file "landing/2/conflict.json" contains "002"
    And the integration branch does not hold the file "shared.txt"
    And no untested commit is on the integration branch

  @control
  Scenario: Tasks that write different files land together at the first attempt
    Given the plan:
      | id  | name         | writes    |
      | 001 | append-left  | left.txt  |
      | 002 | append-right | right.txt |
    When I run "mycelium run"
    Then the exit code is 0
    And the run status is "complete"
    And task "001" is "landed"
    And task "002" is "landed"
    And the integration branch has moved
    And the log has no "landing.conflict" event
    And the log has no "task.retry" event
    And task "002" has not made more than 1 attempt
    And the integration branch has lost no commit

  @control
  Scenario: Two tasks that change the same file in different places merge without a conflict
    Given the agent of task "001" runs:
      """
      { echo first; cat README.md; } >README.new && mv README.new README.md
      """
    And the agent of task "002" runs:
      """
      append scripts/doctor.sh "# the end"
      """
    And the plan:
      | id  | name | writes            |
      | 001 | top  | README.md         |
      | 002 | end  | scripts/doctor.sh |
    When I run "mycelium run"
    Then the exit code is 0
    And the integration branch has moved
    And the file "README.md" on the integration branch contains "first"
    And the file "scripts/doctor.sh" on the integration branch contains "# the end"
    And the log has no "landing.conflict" event
