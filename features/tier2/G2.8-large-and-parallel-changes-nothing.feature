@G2.8 @tier2 @mock @timeout(20m)
Feature: G2.8 A large repository and high parallelism change no outcome
  Tasks that run at once, in a repository of ten thousand files and two dozen in a small one, come to the files and the
  outcomes of one after another, and nothing that no task touched is lost.

  Scenario: In a large repository all at once come to the files and the outcomes of one after another
    Given the repository "large-repo-sim"
    And the plan:
      | id  | name       | writes               |
      | 001 | change-001 | data/0001/000100.txt |
      | 002 | change-002 | data/0002/000200.txt |
    And a second place like this one
    When I run "mycelium run --max-parallel 2"
    And I run "mycelium run --max-parallel 1" in the second place
    Then the exit code is 0
    And the run status is "complete"
    And tasks "001" and "002" run at the same time
    And the log has 2 "task.landed" events
    And the files on the integration branch are the same in both places
    And every task came out the same in both places
    And the path "data/0000" on the integration branch has not changed
    And the path "data/0099" on the integration branch has not changed
    And the integration branch has lost no commit
    And the checkout has no uncommitted change
    And no process is left

  Scenario: Two dozen at once, of which some fail and one is retried, come to what one after another comes to
    Given the repository "toy-repo"
    And the plan:
      | id  | name      | writes      |
      | 001 | write-001 | src/n001.js |
      | 002 | write-002 | src/n002.js |
      | 003 | write-003 | src/n003.js |
      | 004 | write-004 | src/n004.js |
      | 005 | write-005 | src/n005.js |
      | 006 | write-006 | src/n006.js |
      | 007 | write-007 | src/n007.js |
      | 008 | write-008 | src/n008.js |
      | 009 | write-009 | src/n009.js |
      | 010 | write-010 | src/n010.js |
      | 011 | write-011 | src/n011.js |
      | 012 | write-012 | src/n012.js |
      | 013 | write-013 | src/n013.js |
      | 014 | write-014 | src/n014.js |
      | 015 | write-015 | src/n015.js |
      | 016 | write-016 | src/n016.js |
      | 017 | write-017 | src/n017.js |
      | 018 | write-018 | src/n018.js |
      | 019 | write-019 | src/n019.js |
      | 020 | write-020 | src/n020.js |
      | 021 | write-021 | src/n021.js |
      | 022 | write-022 | src/n022.js |
      | 023 | write-023 | src/n023.js |
      | 024 | write-024 | src/n024.js |
    And the configuration:
      """
      max_retries: 1
      """
    And the agent runs:
      """
      case "$MYCELIUM_TASK_ID" in
        003 | 017) exit 3 ;;
        005) [ "$MYCELIUM_ATTEMPT" -gt 1 ] || exit 3 ;;
      esac
      write "src/n$MYCELIUM_TASK_ID.js" "$MYCELIUM_TASK_ID"
      """
    And a second place like this one
    When I run "mycelium run --max-parallel 24"
    And I run "mycelium run --max-parallel 1" in the second place
    Then the exit code is 1
    And tasks "001" and "024" run at the same time
    And task "003" is "failed"
    And task "005" has made 2 attempts
    And the log has 22 "task.landed" events
    And the files on the integration branch are the same in both places
    And every task came out the same in both places
    And the integration branch does not hold the file "src/n003.js"
    And the path "package.json" on the integration branch has not changed
    And the integration branch has lost no commit
    And no process is left
