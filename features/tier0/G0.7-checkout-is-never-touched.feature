@G0.7 @tier0 @mock
Feature: G0.7 The user's checkout is never touched
  Current branch, index, stash, configuration, hooks and files of the user stay as they are, with one exception: where
  the integration branch is checked out and clean, it is fast-forwarded after a landing.

  Background:
    Given the repository "toy-repo"
    And the plan:
      | id  | name           | writes          |
      | 001 | write-greeting | src/greeting.js |

  @docker
  Scenario: A checkout of another branch stays as it is, with all that is unfinished in it
    Given the user has checked out the branch "feature"
    And the user has stashed a change of the file "test/greet.test.js"
    And the user has staged a change of the file "src/index.js"
    And the user has made a change of the file "README.md"
    And the user has the untracked file "notes.txt"
    And the user has the untracked file "src/greeting.js"
    And the repository has hooks that leave traces
    When I run "mycelium run"
    Then the exit code is 0
    And task "001" is "landed"
    And the log has a "landing.done" event
    And a "landing.done" event says:
      | field    | value           |
      | checkout | not_checked_out |
    And the integration branch has moved
    And the integration branch holds the file "src/greeting.js"
    And the user's checkout has not changed
    And no hook has run
    And the integration branch does not hold the file "notes.txt"
    And the file "README.md" on the integration branch does not contain "a line of the user"
    And the file "src/index.js" on the integration branch does not contain "a line of the user"

  @docker
  Scenario: A clean checkout of the integration branch is fast-forwarded and nothing else
    Given the user has stashed a change of the file "README.md"
    And the user has the untracked file "notes.txt"
    And the repository has hooks that leave traces
    When I run "mycelium run"
    Then the exit code is 0
    And a "landing.done" event says:
      | field    | value          |
      | checkout | fast_forwarded |
    And the integration branch has moved
    And the checkout holds the file "src/greeting.js"
    And the checkout holds the file "notes.txt"
    And the checkout has no uncommitted change
    And no hook has run
    And the user's stash has not changed
    And the integration branch does not hold the file "notes.txt"

  @docker
  Scenario Outline: An integration branch that is checked out and dirty stops the run before any work: <what>
    Given the user has <what> of the file "README.md"
    When I run "mycelium run"
    Then the exit code is 2
    And standard error says "README.md"
    And no run was created
    And the integration branch has not moved
    And the user's checkout has not changed

    Examples:
      | what            |
      | staged a change |
      | made a change   |

  @docker
  Scenario Outline: A change that git was told not to look at stops the run before any work: <how>
    Given the user has hidden a change of the file "<file>" from git by <how>
    When I run "mycelium run"
    Then the exit code is 2
    And standard error says "<file> (changed, and hidden from git by <how>)"
    And standard error says "git update-index --no-assume-unchanged --no-skip-worktree"
    And no run was created
    And the integration branch has not moved
    And the user's checkout has not changed

    Examples:
      | how              | file         |
      | assume-unchanged | README.md    |
      | skip-worktree    | src/index.js |

  @docker
  Scenario: A change that is hidden while work goes on stays, and nothing lands
    Given the agent runs:
      """
      write src/greeting.js "a greeting"
      user_hides README.md
      user_appends README.md "a line of the user"
      """
    When I run "mycelium run"
    Then the exit code is 3
    And the stop reason is "checkout_blocked"
    And task "001" is "validated"
    And a "landing.refused" event says:
      | field   | value                                                        |
      | reason  | checkout_dirty                                               |
      | paths.0 | README.md (changed, and hidden from git by assume-unchanged) |
    And the integration branch has not moved
    And the checkout does not hold the file "src/greeting.js"

  @docker
  Scenario: An untracked file in the way of a landing stays, and nothing lands
    Given the user has the untracked file "src/greeting.js"
    When I run "mycelium run"
    Then the exit code is 3
    And the run status is "needs_human_review"
    And the stop reason is "checkout_blocked"
    And task "001" is "validated"
    And task "001" keeps its commit
    And a "landing.refused" event says:
      | field   | value           |
      | reason  | checkout_dirty  |
      | paths.0 | src/greeting.js |
    And the integration branch has not moved
    And the user's checkout has not changed

  @docker
  Scenario: A checkout that becomes dirty while work goes on stays, and nothing lands
    Given the agent runs:
      """
      write src/greeting.js "a greeting"
      user_appends README.md "a line of the user"
      """
    When I run "mycelium run"
    Then the exit code is 3
    And the stop reason is "checkout_blocked"
    And task "001" is "validated"
    And a "landing.refused" event says:
      | field   | value          |
      | reason  | checkout_dirty |
      | paths.0 | README.md      |
    And the integration branch has not moved
    And the checkout does not hold the file "src/greeting.js"

  @docker
  Scenario: A misspelt integration branch is an error and never a new branch
    Given the configuration:
      """
      integration_branch: mian
      """
    When I run "mycelium run"
    Then the exit code is 2
    And standard error says "mian"
    And standard error says ".mycelium/config.yaml:"
    And there is no branch "mian"
    And no run was created
    And no ref has changed
    And the user's checkout has not changed

  @control @docker
  Scenario: With the integration branch checked out and clean, the checkout follows the landing
    When I run "mycelium run"
    Then the exit code is 0
    And the integration branch has moved
    And the checkout holds the file "src/greeting.js"
    And the integration branch has lost no commit
    And the checkout has no uncommitted change
