@G1.12 @tier1 @mock @docker
Feature: G1.12 Locks are respected
  Tasks that need the same resource never run at the same time if one of them writes it. Tasks that share nothing run
  together.

  Background:
    Given the repository "toy-repo"
    And the configuration:
      """
      resources:
        - name: repo
          paths: []
        - name: database
          paths: []
      """

  Scenario: Two tasks that write the same resource run one after the other
    Given the plan:
      | id  | name           | writes          | write locks |
      | 001 | write-greeting | src/greeting.js | repo        |
      | 002 | write-farewell | src/farewell.js | repo        |
    When I run "mycelium run --max-parallel 2"
    Then the exit code is 0
    And the batches are:
      | batch | tasks |
      | 1     | 001   |
      | 2     | 002   |
    And task "001" is "landed"
    And task "002" is "landed"
    And tasks "001" and "002" never run at the same time

  Scenario Outline: A task that reads a resource and one that writes it run one after the other: <order>
    Given the plan:
      | id  | name           | writes          | read locks | write locks |
      | 001 | write-greeting | src/greeting.js | <read 1>   | <write 1>   |
      | 002 | write-farewell | src/farewell.js | <read 2>   | <write 2>   |
    When I run "mycelium run --max-parallel 2"
    Then the exit code is 0
    And the batches are:
      | batch | tasks |
      | 1     | 001   |
      | 2     | 002   |
    And task "002" is "landed"
    And tasks "001" and "002" never run at the same time

    Examples:
      | order        | read 1 | write 1 | read 2 | write 2 |
      | reader first | repo   |         |        | repo    |
      | writer first |        | repo    | repo   |         |

  Scenario Outline: Tasks that exclude nobody run together: <what>
    Given the plan:
      | id  | name           | writes          | read locks | write locks |
      | 001 | write-greeting | src/greeting.js | <read 1>   | <write 1>   |
      | 002 | write-farewell | src/farewell.js | <read 2>   | <write 2>   |
    And the agent of task "001" runs:
      """
      signal first-is-here
      await second-is-here
      write src/greeting.js "a greeting"
      """
    And the agent of task "002" runs:
      """
      await first-is-here
      signal second-is-here
      write src/farewell.js "a farewell"
      """
    When I run "mycelium run --max-parallel 2"
    Then the exit code is 0
    And the batches are:
      | batch | tasks    |
      | 1     | 001, 002 |
    And task "001" is "landed"
    And task "002" is "landed"
    And tasks "001" and "002" run at the same time
    And the log has no "task.retry" event
    And the integration branch has lost no commit

    Examples:
      | what               | read 1 | write 1 | read 2 | write 2  |
      | disjoint resources |        | repo    |        | database |
      | readers of one     | repo   |         | repo   |          |
      | no resource at all |        |         |        |          |

  Scenario: A third task waits for the resource while others go on
    Given the plan:
      | id  | name           | writes          | write locks |
      | 001 | write-greeting | src/greeting.js | repo        |
      | 002 | write-farewell | src/farewell.js | repo        |
      | 003 | write-thanks   | src/thanks.js   | database    |
    When I run "mycelium run --max-parallel 3"
    Then the exit code is 0
    And the batches are:
      | batch | tasks    |
      | 1     | 001, 003 |
      | 2     | 002      |
    And tasks "001" and "002" never run at the same time
