@G0.6 @tier0 @mock @docker
Feature: G0.6 The integration branch never holds an undoctored commit
  The doctor runs on exactly the tree that is about to land, and the branch moves only to that commit, and only if it
  still is where the candidate was built on.

  Background:
    Given the repository "toy-repo"
    And the plan:
      | id  | name           | writes          |
      | 001 | write-greeting | src/greeting.js |

  Scenario: Work that the doctor refuses does not land, and its log is kept
    Given the agent runs:
      """
      write src/greeting.js "BROKEN"
      """
    When I run "mycelium run"
    Then the exit code is 1
    And the run status is "failed"
    And the stop reason is "doctor_failed"
    And task "001" is "failed"
    And the log has a "task.validated" event for task "001"
    And the log has a "landing.doctor_fail" event
    And a "landing.doctor_fail" event says:
      | field     | value |
      | exit_code | 1     |
      | tasks.0   | 001   |
    And the run file "landing/1/doctor.log" contains "doctor: a file says BROKEN"
    And the run folder holds the file "landing/1/candidate.json"
    And the integration branch has not moved
    And the integration branch does not hold the file "src/greeting.js"
    And the log has no "landing.intent" event
    And the log has no "landing.doctor_pass" event
    And no ref has changed

  Scenario Outline: Only a doctor that exits with 0 lets work land: it <what>
    Given the doctor runs:
      """
      <deed>
      """
    When I run "mycelium run"
    Then the exit code is 1
    And the stop reason is "doctor_failed"
    And the log has a "landing.doctor_fail" event
    And the integration branch has not moved
    And the log has no "landing.intent" event

    Examples:
      | what                       | deed                     |
      | exits with 1               | exit 1                   |
      | exits with 255             | exit 255                 |
      | says all is well and fails | echo all is well; exit 3 |
      | is killed                  | kill -9 $$               |
      | runs a missing program     | no-such-program --check  |

  Scenario: What lands is what the doctor saw
    Given the plan:
      | id  | name           | writes          |
      | 001 | write-greeting | src/greeting.js |
      | 002 | write-farewell | src/farewell.js |
    And the doctor runs:
      """
      see_tree
      test -f src/greeting.js
      """
    When I run "mycelium run"
    Then the exit code is 0
    And the integration branch has moved
    And the integration branch holds the file "src/greeting.js"
    And the integration branch holds the file "src/farewell.js"
    And the log has these events in order:
      | event               |
      | landing.doctor_pass |
      | landing.intent      |
      | landing.done        |
    And no untested commit is on the integration branch
    And the integration branch has lost no commit

  Scenario: A doctor's own traces do not land
    Given the doctor runs:
      """
      write doctor-was-here.txt "a trace"
      append src/index.js "// a trace"
      """
    When I run "mycelium run"
    Then the exit code is 0
    And the integration branch has moved
    And the integration branch holds the file "src/greeting.js"
    And the integration branch does not hold the file "doctor-was-here.txt"
    And the file "src/index.js" on the integration branch does not contain "a trace"

  Scenario: A colleague's push while the doctor runs is kept, and the work is tested again on top of it
    Given the user has checked out the branch "feature"
    And the doctor runs:
      """
      see_tree
      if once push; then colleague_commits pushed.txt "from a colleague"; fi
      """
    When I run "mycelium run"
    Then the exit code is 0
    And the log has 1 "landing.refused" event
    And a "landing.refused" event says:
      | field  | value      |
      | reason | head_moved |
    And the log has 1 "landing.done" event
    And the log has these events in order:
      | event               |
      | landing.refused     |
      | landing.doctor_pass |
      | landing.intent      |
      | landing.done        |
    And task "001" is "landed"
    And the integration branch holds the file "pushed.txt"
    And the integration branch holds the file "src/greeting.js"
    And no untested commit is on the integration branch
    And the integration branch has lost no commit
    And the user's checkout has not changed

  Scenario: A branch that moves under every candidate ends the run within bounds
    Given the user has checked out the branch "feature"
    And the doctor runs:
      """
      see_tree
      colleague_commits pushed.txt "from a colleague"
      """
    When I run "mycelium run"
    Then the exit code is 3
    And the run status is "needs_human_review"
    And the stop reason is "review"
    And task "001" is "validated"
    And task "001" keeps its commit
    And the log has 6 "landing.refused" events
    And the integration branch holds the file "pushed.txt"
    And the integration branch does not hold the file "src/greeting.js"
    And the log has no "landing.done" event
    And no untested commit is on the integration branch
    And the integration branch has lost no commit

  Scenario: Nothing lands on a branch that somebody took landed work off
    Given the user has checked out the branch "feature"
    And the plan:
      | id  | name           | writes          | dependencies |
      | 001 | write-greeting | src/greeting.js |              |
      | 002 | write-farewell | src/farewell.js | 001          |
    And the agent runs:
      """
      case "$MYCELIUM_TASK_ID" in
        001) write src/greeting.js "a greeting" ;;
        002) if once rewind; then colleague_rewinds; fi; write src/farewell.js "a farewell" ;;
      esac
      """
    When I run "mycelium run"
    Then the exit code is 3
    And the run status is "needs_human_review"
    And the stop reason is "branch_rewound"
    And standard error says "landing 1 of 001"
    And the log has 1 "landing.done" event
    And the integration branch has not moved
    When I run "mycelium resume"
    Then the exit code is 3
    And the stop reason is "branch_rewound"
    And the log has 1 "landing.done" event
    And the integration branch has not moved
    And the integration branch does not hold the file "src/farewell.js"

  Scenario: Of a batch that fails together, only what passes lands
    Given the plan:
      | id  | name           | writes          |
      | 001 | write-greeting | src/greeting.js |
      | 002 | write-broken   | src/broken.js   |
      | 003 | write-farewell | src/farewell.js |
    And the doctor runs:
      """
      see_tree
      ! grep -rn BROKEN src
      """
    And the agent runs:
      """
      case "$MYCELIUM_TASK_ID" in
        001) write src/greeting.js "a greeting" ;;
        002) write src/broken.js "BROKEN" ;;
        003) write src/farewell.js "a farewell" ;;
      esac
      """
    When I run "mycelium run"
    Then the exit code is 1
    And the stop reason is "doctor_failed"
    And task "001" is "landed"
    And task "002" is "failed"
    And task "003" is "landed"
    And the log has a "landing.bisect" event
    And the integration branch holds the file "src/greeting.js"
    And the integration branch holds the file "src/farewell.js"
    And the integration branch does not hold the file "src/broken.js"
    And the log has no "task.landed" event for task "002"
    And no untested commit is on the integration branch

  Scenario Outline: Whether the doctor can fail is asked before anything lands: it <what>
    Given the configuration:
      """
      doctor_canary: true
      """
    And the doctor runs:
      """
      if test -f package.json; then see_tree; exit 0; fi
      exit <code>
      """
    When I run "mycelium run"
    Then the exit code is 0
    And a "<event>" event says:
      | field     | value         |
      | validator | doctor_canary |
    And the log has 1 "<event>" event
    And the log has no "<other>" event
    And the log has no "<event>" event after the "landing.doctor_pass" event
    And task "001" is "landed"
    And no untested commit is on the integration branch

    Examples:
      | what                    | code | event          | other          |
      | refuses an empty folder | 1    | validator.pass | validator.warn |
      | passes whatever it sees | 0    | validator.warn | validator.pass |

  @control
  Scenario: The same work lands when the doctor passes it
    When I run "mycelium run"
    Then the exit code is 0
    And the run status is "complete"
    And the log has a "landing.doctor_pass" event
    And the run file "landing/1/doctor.log" contains "doctor: all is well"
    And the integration branch has moved
    And the integration branch holds the file "src/greeting.js"
    And the log has no "landing.doctor_fail" event
    And the log has no "landing.refused" event
