@G0.11 @tier0 @mock @docker
Feature: G0.11 One orchestrator at a time
  A repository has one orchestrator at a time, from wherever it is reached. A second one is told who holds the lock and
  changes nothing. The lock lives as long as its process: a dead one never blocks.

  Background:
    Given the repository "toy-repo"
    And the plan:
      | id  | name           | writes          |
      | 001 | write-greeting | src/greeting.js |
    And the agent runs:
      """
      if once work; then
        signal at-work
        await may-go-on
      fi
      write src/greeting.js "a greeting"
      """
    And the user has checked out the branch "feature"
    And other ways to the same repository

  Scenario Outline: A second orchestrator is refused with who holds the lock: <where>
    When I start "mycelium run --run-id first"
    And a script signals "at-work"
    And I run "mycelium run --run-id second" <how>
    Then the exit code is 2
    And standard error names process, host and start of the started command
    And standard error says "run first"
    And nothing is printed on standard output
    And no run was created
    And the integration branch has not moved
    And no ref has changed
    When a script that awaits "may-go-on" goes on
    And the started command has ended
    Then the exit code is 0
    And the run status is "complete"
    And task "001" is "landed"
    And the log has 1 "run.start" event
    And the log has 1 "task.start" event
    And the log has 1 "landing.done" event
    And the integration branch has moved
    And the log has no "landing.refused" event
    And task "001" has not made more than 1 attempt
    And the integration branch has lost no commit

    Examples:
      | where                   | how                       |
      | with another home       | with another home         |
      | in a linked worktree    | in the linked worktree    |
      | through a symbolic link | through the symbolic link |

  Scenario: A second orchestrator in the very same folder is refused
    When I start "mycelium run --run-id first"
    And a script signals "at-work"
    And I run "mycelium run --run-id second"
    Then the exit code is 2
    And standard error names process, host and start of the started command
    And no run was created
    When a script that awaits "may-go-on" goes on
    And the started command has ended
    Then the exit code is 0
    And task "001" is "landed"
    And the log has 1 "landing.done" event
    And the log has no "landing.refused" event

  Scenario: Two repositories do not share a project
    Given a copy of the repository
    When I start "mycelium run --run-id first --project shared"
    And a script signals "at-work"
    And I run "mycelium run --run-id second --project shared" in the copy of the repository
    Then the exit code is 2
    And standard error says "the project shared in "
    And standard error says "/toy-repo, and this is "
    And standard error says "/copied-repository"
    And standard error says "choose another name with --project"
    And nothing is printed on standard output
    And no run was created
    When I run "mycelium status --project shared --run-id first" in the copy of the repository
    Then the exit code is 2
    And nothing is printed on standard output
    When a script that awaits "may-go-on" goes on
    And the started command has ended
    Then the exit code is 0
    And task "001" is "landed"
    And the log has 1 "run.start" event
    When I run "mycelium run --run-id second --project shared" in the copy of the repository
    Then the exit code is 2
    And the last command has changed no file of a run

  Scenario: A plan is not changed under a run
    Given the planner proposes:
      | id  | name         | writes        |
      | 002 | write-thanks | src/thanks.js |
    When I start "mycelium run --run-id first"
    And a script signals "at-work"
    And I run "mycelium plan --input .mycelium/plan.md --force"
    Then the exit code is 2
    And standard error names process, host and start of the started command
    And the planned tasks are "001"
    And the task files have not changed
    When a script that awaits "may-go-on" goes on
    And the started command has ended
    Then the exit code is 0
    And task "001" is "landed"
    And the log has no "landing.refused" event

  Scenario: Whoever only reads is not refused, and does not disturb
    When I start "mycelium run --run-id first"
    And a script signals "at-work"
    And I run "mycelium status --run-id first"
    Then the exit code is 0
    And standard output says "running"
    And no ref has changed
    When a script that awaits "may-go-on" goes on
    And the started command has ended
    Then the exit code is 0
    And the run status is "complete"
    And the log has 1 "run.start" event
    And the log has no "run.stop" event

  @control
  Scenario: A lock that a dead process has left does not block
    Given a lock that a dead process has left
    And the agent runs:
      """
      write src/greeting.js "a greeting"
      """
    When I run "mycelium run"
    Then the exit code is 0
    And task "001" is "landed"
    And the integration branch has moved
    And standard error does not say "long-ago"

  @control
  Scenario: An orchestrator that was killed leaves no lock, though its agent lives on
    When I start "mycelium run --run-id first"
    And a script signals "at-work"
    And the started command is killed
    And I run "mycelium run --run-id second"
    Then the exit code is 0
    And the run status is "complete"
    And task "001" is "landed"
    And the integration branch has moved
    And the log has 1 "landing.done" event
    And the log has no "landing.refused" event
    And the integration branch has lost no commit

  @control
  Scenario: A repository and its linked worktree are one, and share a project
    Given the agent runs:
      """
      append src/greeting.js "a greeting of $MYCELIUM_RUN_ID"
      """
    When I run "mycelium run --run-id first --project shared"
    And I run "mycelium status --run-id first --project shared" in the linked worktree
    Then the exit code is 0
    And standard output says "run first of shared: complete"
    And the integration branch has moved
    And the integration branch has lost no commit

  @control
  Scenario: One run after the other is nobody's conflict
    Given the agent runs:
      """
      append src/greeting.js "a greeting of $MYCELIUM_RUN_ID"
      """
    When I run "mycelium run --run-id first"
    And I run "mycelium run --run-id second --tasks 001"
    Then the exit code is 0
    And the integration branch has moved
    And the file "src/greeting.js" on the integration branch contains "of first"
    And the file "src/greeting.js" on the integration branch contains "of second"
    And the log has no "landing.refused" event
    And the integration branch has lost no commit
