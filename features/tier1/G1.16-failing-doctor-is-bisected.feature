@G1.16 @tier1 @mock @docker
Feature: G1.16 A failing doctor is bisected
  When the doctor refuses a candidate of several tasks, the candidate is split until the culprits are found. What passes
  lands, each culprit fails with its own log, and nothing lands that no doctor has seen.

  Background:
    Given the repository "toy-repo"
    And the configuration:
      """
      max_parallel: 8
      """
    And the doctor runs:
      """
      see_tree
      if grep -rn BROKEN src; then exit 1; fi
      if test -f src/a.js && test -f src/d.js && grep -q clash src/a.js src/d.js; then echo "a and d clash"; exit 1; fi
      """
    And the plan:
      | id  | name    | writes   |
      | 001 | write-a | src/a.js |
      | 002 | write-b | src/b.js |
      | 003 | write-c | src/c.js |
      | 004 | write-d | src/d.js |

  Scenario Outline: The culprit is found wherever it stands, and the others land: <culprit>
    Given the agent of task "<culprit>" runs:
      """
      write src/<file>.js "BROKEN"
      """
    And the agent runs:
      """
      case "$MYCELIUM_TASK_ID" in 001) f=a ;; 002) f=b ;; 003) f=c ;; 004) f=d ;; esac
      write "src/$f.js" "fine"
      """
    When I run "mycelium run"
    Then the exit code is 1
    And the run status is "failed"
    And the stop reason is "doctor_failed"
    And task "<culprit>" is "failed"
    And a reason of task "<culprit>" says "landing.doctor_fail"
    And task "<one>" is "landed"
    And task "<two>" is "landed"
    And task "<three>" is "landed"
    And the log has 2 "landing.bisect" events
    And the log has 3 "landing.doctor_fail" events
    And the log has no "task.landed" event for task "<culprit>"
    And the integration branch does not hold the file "src/<file>.js"
    And task "<culprit>" has not made more than 1 attempt
    And no untested commit is on the integration branch
    And the integration branch has lost no commit

    Examples:
      | culprit | file | one | two | three |
      | 001     | a    | 002 | 003 | 004   |
      | 002     | b    | 001 | 003 | 004   |
      | 004     | d    | 001 | 002 | 003   |

  Scenario: The culprit's own doctor log is kept and named
    Given the agent runs:
      """
      case "$MYCELIUM_TASK_ID" in
        001) write src/a.js "BROKEN by the first" ;;
        002) write src/b.js "fine" ;;
      esac
      """
    When I run "mycelium run --tasks 001,002"
    Then the exit code is 1
    And the log has 1 "landing.bisect" event
    And a reason of task "001" says "landing/2/doctor.log"
    And the run file "landing/2/doctor.log" contains "BROKEN by the first"
    And task "002" is "landed"
    And the run folder holds the file "landing/3/candidate.json"
    And the integration branch does not hold the file "src/a.js"
    And no untested commit is on the integration branch

  Scenario: Several culprits are all found
    Given the agent runs:
      """
      case "$MYCELIUM_TASK_ID" in
        001) write src/a.js "BROKEN" ;;
        002) write src/b.js "fine" ;;
        003) write src/c.js "BROKEN" ;;
        004) write src/d.js "fine" ;;
      esac
      """
    When I run "mycelium run"
    Then the exit code is 1
    And task "001" is "failed"
    And task "002" is "landed"
    And task "003" is "failed"
    And task "004" is "landed"
    And the integration branch does not hold the file "src/a.js"
    And the integration branch does not hold the file "src/c.js"
    And no untested commit is on the integration branch

  Scenario: Two tasks that pass alone and fail together do not both land
    Given the agent runs:
      """
      case "$MYCELIUM_TASK_ID" in
        001) write src/a.js "clash" ;;
        002) write src/b.js "fine" ;;
        003) write src/c.js "fine" ;;
        004) write src/d.js "clash" ;;
      esac
      """
    When I run "mycelium run"
    Then the exit code is 1
    And task "001" is "landed"
    And task "002" is "landed"
    And task "003" is "landed"
    And task "004" is "failed"
    And the integration branch does not hold the file "src/d.js"
    And the log has no "task.landed" event for task "004"
    And no untested commit is on the integration branch

  Scenario: Where every task is a culprit, nothing lands and it ends
    Given the agent runs:
      """
      case "$MYCELIUM_TASK_ID" in 001) f=a ;; 002) f=b ;; 003) f=c ;; 004) f=d ;; esac
      write "src/$f.js" "BROKEN"
      """
    When I run "mycelium run"
    Then the exit code is 1
    And the stop reason is "doctor_failed"
    And the log has 7 "landing.doctor_fail" events
    And the log has 3 "landing.bisect" events
    And the integration branch has not moved
    And the log has no "landing.intent" event

  Scenario: A batch that passes as a whole is not split
    Given the agent runs:
      """
      case "$MYCELIUM_TASK_ID" in 001) f=a ;; 002) f=b ;; 003) f=c ;; 004) f=d ;; esac
      write "src/$f.js" "fine"
      """
    When I run "mycelium run"
    Then the exit code is 0
    And the log has 1 "landing.doctor_pass" event
    And the log has 1 "landing.done" event
    And the log has no "landing.bisect" event
    And no untested commit is on the integration branch
