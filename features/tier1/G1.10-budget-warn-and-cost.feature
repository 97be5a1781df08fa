@G1.10 @tier1 @mock @docker
Feature: G1.10 Budget warn mode, and a budget of cost for the run
  In mode "warn" a budget that is exceeded is told with its figures and stops nothing. A budget of cost counts all tasks
  of a run by the prices of the worker's model.

  Background:
    Given the repository "toy-repo"
    And the plan:
      | id  | name           | writes          | dependencies |
      | 001 | write-greeting | src/greeting.js |              |
      | 002 | write-farewell | src/farewell.js | 001          |

  Scenario Outline: In mode "warn" an exceeded budget is told and the work lands: <key>
    Given the configuration:
      """
      budgets:
        mode: warn
        <key>: <limit>
        prices:
          default: {input: 10.0, cached_input: 1.0, output: 30.0}
      """
    And the agent reports 1200 input, 200 cached and 300 output tokens
    When I run "mycelium run"
    Then the exit code is 0
    And the run status is "complete"
    And a "budget.warn" event says:
      | field  | value    |
      | scope  | <scope>  |
      | metric | <metric> |
      | used   | <used>   |
      | limit  | <counts> |
    And task "001" is "landed"
    And task "002" is "landed"
    And the integration branch holds the file "src/greeting.js"
    And the integration branch holds the file "src/farewell.js"
    And there is no stop reason
    And the log has no "budget.block" event
    And task "002" has not made more than 1 attempt

    Examples:
      | key                 | limit | scope | metric        | used  | counts |
      | max_tokens_per_task | 1000  | task  | tokens        | 1500  | 1000   |
      | max_tokens_per_run  | 2000  | run   | tokens        | 3000  | 2000   |
      | max_cost_per_task   | 0.01  | task  | cost_microusd | 19200 | 10000  |
      | max_cost_per_run    | 0.03  | run   | cost_microusd | 38400 | 30000  |

  Scenario: A budget that is used up to the last token is not exceeded
    Given the configuration:
      """
      budgets:
        mode: warn
        max_tokens_per_run: 3000
      """
    And the agent reports 1500 tokens
    When I run "mycelium run"
    Then the exit code is 0
    And task "002" is "landed"
    And task "002" has used 1500 tokens
    And the log has no "budget.warn" event
    And the log has no "budget.block" event

  Scenario: A budget of cost for the run stops it where the sum of its tasks exceeds it
    Given the configuration:
      """
      budgets:
        mode: block
        max_cost_per_run: 0.03
        prices:
          default: {input: 10.0, cached_input: 1.0, output: 30.0}
      """
    And the agent reports 1200 input, 200 cached and 300 output tokens
    When I run "mycelium run"
    Then the exit code is 1
    And the run status is "failed"
    And the stop reason is "budget_block"
    And task "001" is "landed"
    And task "002" is "failed"
    And a "budget.block" event says:
      | field  | value         |
      | scope  | run           |
      | metric | cost_microusd |
      | used   | 38400         |
      | limit  | 30000         |
    And the integration branch holds the file "src/greeting.js"
    And the integration branch does not hold the file "src/farewell.js"
    And the log has no "landing.intent" event after the "budget.block" event
    And the log has no "task.landed" event for task "002"

  Scenario: Cost is counted by the price of the worker's model
    Given the configuration:
      """
      worker: {model: large}
      budgets:
        mode: warn
        max_cost_per_task: 0.001
        prices:
          default: {input: 1.0, output: 1.0}
          large: {input: 100.0, output: 200.0}
      """
    And the agent reports 1000 input, 500 cached and 10 output tokens
    When I run "mycelium run"
    Then the exit code is 0
    And a "budget.warn" event says:
      | field | value  |
      | used  | 102000 |
    And the log has no "budget.block" event

  Scenario: What failed attempts used counts as well
    Given the configuration:
      """
      max_retries: 1
      budgets:
        mode: block
        max_tokens_per_task: 1500
      """
    And the agent runs:
      """
      usage 900 100
      if once fail; then exit 1; fi
      write src/greeting.js "a greeting"
      """
    When I run "mycelium run --tasks 001"
    Then the exit code is 1
    And the stop reason is "budget_block"
    And task "001" has used 2000 tokens
    And a "budget.block" event says:
      | field | value |
      | used  | 2000  |
    And the integration branch has not moved
    And task "001" has not made more than 2 attempts

  Scenario Outline: A budget that cannot be counted is refused: <what>
    Given the configuration file:
      """
      integration_branch: main
      doctor: scripts/doctor.sh
      budgets: <budgets>
      """
    When I run "mycelium run"
    Then the exit code is 2
    And standard error says ".mycelium/config.yaml:3:"
    And no run was created
    And the integration branch has not moved

    Examples:
      | what                     | budgets                                                                             |
      | a cost without any price | {mode: warn, max_cost_per_run: 0.03}                                                |
      | a price of another model | {mode: warn, max_cost_per_run: 0.03, prices: {other: {input: 1.0, output: 1.0}}}    |
      | a negative limit         | {mode: warn, max_tokens_per_run: -1}                                                |
      | too many decimals        | {mode: warn, max_cost_per_run: 0.0000001, prices: {default: {input: 1, output: 1}}} |
      | a mode that is none      | {mode: stop, max_tokens_per_run: 1}                                                 |
