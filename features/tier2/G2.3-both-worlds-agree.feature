@G2.3 @tier2 @docker
Feature: G2.3 Both worlds give the same outcomes
  The same plan with the same agents comes to the same commit and the same state in containers as in processes.

  Background:
    Given the repository "toy-repo"
    And the plan:
      | id  | name           | writes          | dependencies |
      | 001 | write-greeting | src/greeting.js |              |
      | 002 | write-thanks   | src/thanks.js   | 001          |

  Scenario Outline: <what>
    Given the configuration:
      """
      max_retries: 1
      <settings>
      """
    And the agent reports 700 tokens
    And a second place like this one
    When I run "mycelium run --run-id first"
    And I run "mycelium run --run-id first --world local" in the second place
    Then the exit code is <code>
    And the run status is "<status>"
    And the log has a "container.create" event
    And the integration branch is the same in both places
    And the state is the same in both places but for the world
    And the integration branch has lost no commit

    Examples:
      | what                             | settings                                         | code | status   |
      | Two tasks land one after another | max_parallel: 2                                  | 0    | complete |
      | A budget blocks                  | budgets: {mode: block, max_tokens_per_task: 600} | 1    | failed   |
      | A bootstrap fails every time     | bootstrap: ["exit 3"]                            | 1    | failed   |

  @timeout(3m)
  Scenario: An engine on another machine, to which workspaces are carried, comes to the same
    Given a container engine of its own on another machine
    And the plan:
      | id  | name       | writes                    | dependencies | verify                                           |
      | 001 | write-tool | src/*, src/a/*, README.md |              | test -x src/tool.sh && test ! -e README.md       |
      | 002 | use-tool   | src/used.txt              | 001          | test "$(cat src/used.txt)" = "the tool was used" |
    And the agent of task "001" runs:
      """
      write src/tool.sh "echo the tool was used"
      chmod 755 src/tool.sh
      mkdir src/a
      ln -s ../tool.sh src/a/link
      ln src/tool.sh src/a/twin
      rm README.md
      write "src/ä ö.js" "an odd name"
      """
    And the agent of task "002" runs:
      """
      sh src/a/link >src/used.txt
      """
    And a second place like this one
    When I run "mycelium run --run-id first"
    And I run "mycelium run --run-id first --world local" in the second place
    Then the exit code is 0
    And task "001" is "landed"
    And task "002" is "landed"
    And the log has a "container.create" event
    And the integration branch is the same in both places
    And the state is the same in both places but for the world
    And no container is left
    And no volume of the engine is left

  @timeout(3m)
  Scenario: What is too large to be carried back from another machine fails its attempt
    Given a container engine of its own on another machine
    And the configuration:
      """
      max_retries: 0
      """
    And the agent runs:
      """
      append src/greeting.js "a greeting"
      truncate -s 9G src/large
      """
    When I run "mycelium run --run-id first"
    Then the exit code is 1
    And task "001" is "failed"
    And a reason of task "001" says "there are more than 8589934592 bytes"
    And the integration branch has not moved
