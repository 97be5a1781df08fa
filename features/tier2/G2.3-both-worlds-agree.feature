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
