@G0.1 @tier0 @mock @docker
Feature: G0.1 A budget block never merges
  When a budget in mode "block" is exceeded, the run stops as failed, and from that moment on nothing of it
  reaches the integration branch: not the task that exceeded it, and not its siblings.

  Background:
    Given the repository "toy-repo"
    And the plan:
      | id  | name           | writes          |
      | 001 | write-greeting | src/greeting.js |

  Scenario: A task over its token budget does not land
    Given the configuration:
      """
      budgets:
        mode: block
        max_tokens_per_task: 1000
      """
    And the agent reports 1200 input, 300 cached and 300 output tokens
    When I run "mycelium run"
    Then the exit code is 1
    And the run status is "failed"
    And the stop reason is "budget_block"
    And task "001" is "failed"
    And a reason of task "001" says "budget.block"
    And the log has a "usage.update" event for task "001"
    And task "001" has used 1500 tokens
    And the log has a "budget.block" event for task "001"
    And a "budget.block" event says:
      | field  | value  |
      | scope  | task   |
      | metric | tokens |
      | used   | 1500   |
      | limit  | 1000   |
    And the run folder holds the file "tasks/001/attempt-1/diff.patch"
    And the integration branch has not moved
    And the integration branch does not hold the file "src/greeting.js"
    And the log has no "landing.intent" event
    And the log has no "task.landed" event
    And task "001" is not "landed"
    And no ref has changed
    And the run status is not "complete"
    And the run folder does not hold the file "landing/1/candidate.json"

  Scenario: A task over its cost budget does not land
    Given the configuration:
      """
      budgets:
        mode: block
        max_cost_per_task: 0.01
        prices:
          default: {input: 10.0, cached_input: 1.0, output: 30.0}
      """
    And the agent reports 1500 tokens
    When I run "mycelium run"
    Then the exit code is 1
    And the stop reason is "budget_block"
    And a "budget.block" event says:
      | field  | value         |
      | scope  | task          |
      | metric | cost_microusd |
      | used   | 15000         |
      | limit  | 10000         |
    And the integration branch has not moved
    And the log has no "landing.intent" event

  Scenario: A run over its token budget lands nothing more, and what landed before stands
    Given the plan:
      | id  | name           | writes          | dependencies |
      | 001 | write-greeting | src/greeting.js |              |
      | 002 | write-farewell | src/farewell.js | 001          |
      | 003 | write-thanks   | src/thanks.js   | 002          |
    And the configuration:
      """
      budgets:
        mode: block
        max_tokens_per_run: 1000
      """
    And the agent reports 600 tokens
    When I run "mycelium run"
    Then the exit code is 1
    And the stop reason is "budget_block"
    And task "001" is "landed"
    And task "002" is "failed"
    And a "budget.block" event says:
      | field  | value  |
      | scope  | run    |
      | metric | tokens |
      | used   | 1200   |
      | limit  | 1000   |
    And the integration branch holds the file "src/greeting.js"
    And the integration branch does not hold the file "src/farewell.js"
    And the integration branch does not hold the file "src/thanks.js"
    And the log has no "landing.intent" event after the "budget.block" event
    And the log has no "batch.start" event after the "budget.block" event
    And the log has no "task.start" event for task "003"

  Scenario: A run over its cost budget does not land
    Given the configuration:
      """
      budgets:
        mode: block
        max_cost_per_run: 0.02
        prices:
          default: {input: 10.0, output: 30.0}
      """
    And the agent reports 1500 input, 0 cached and 300 output tokens
    When I run "mycelium run"
    Then the exit code is 1
    And a "budget.block" event says:
      | field  | value         |
      | scope  | run           |
      | metric | cost_microusd |
      | used   | 24000         |
    And the integration branch has not moved

  Scenario: A sibling within its budget does not land either, and keeps its work
    Given the plan:
      | id  | name           | writes          |
      | 001 | write-greeting | src/greeting.js |
      | 002 | write-farewell | src/farewell.js |
    And the configuration:
      """
      budgets:
        mode: block
        max_tokens_per_task: 1000
      """
    And the agent of task "001" runs:
      """
      write src/greeting.js "a greeting"
      usage 1400 100
      """
    And the agent of task "002" runs:
      """
      write src/farewell.js "a farewell"
      usage 10 5
      """
    When I run "mycelium run"
    Then the exit code is 1
    And the log has a "budget.block" event for task "001"
    And task "001" is "failed"
    And task "002" is "validated"
    And task "002" keeps its commit
    And the integration branch has not moved
    And the log has no "landing.intent" event
    And the log has no "task.landed" event for task "002"

  Scenario Outline: <agent> that crosses its budget in mid-turn is stopped there, and nothing lands
    Given the agent is a scripted "<agent>"
    And the configuration:
      """
      budgets: {mode: block, max_tokens_per_task: 1030}
      """
    And the model answers:
      """
      - {shell: append src/greeting.js one, usage: {input: 1000, output: 30}}
      - {shell: append src/greeting.js two, usage: {input: 1100, output: 30}}
      - {text: Done., usage: {input: 1200, output: 5}}
      """
    When I run "mycelium run"
    Then the exit code is 1
    And the stop reason is "budget_block"
    And the model was asked 1 time
    And task "001" has used 1030 tokens
    And a "budget.block" event says:
      | field  | value  |
      | scope  | task   |
      | metric | tokens |
      | used   | 1030   |
      | limit  | 1030   |
    And task "001" is "failed"
    And the integration branch has not moved
    And the log has no "landing.intent" event
    And the log has no "task.retry" event

    Examples:
      | agent  |
      | codex  |
      | claude |

  Scenario: What an agent's own agents use counts, though it tells nothing of it
    Given the agent is a scripted "codex"
    And the configuration:
      """
      budgets: {mode: block, max_tokens_per_task: 2000}
      """
    And the model answers what says "Do write-greeting.":
      """
      - tools: [{name: spawn_agent, args: {prompt: Look around.}}]
        usage: {input: 100, output: 10}
      - {shell: append src/greeting.js one, usage: {input: 200, output: 10}}
      - {text: Done., usage: {input: 300, output: 5}}
      """
    And the model answers what says "Look around.":
      """
      - {text: I have looked., usage: {input: 5000, output: 50}}
      """
    When I run "mycelium run"
    Then the exit code is 1
    And the stop reason is "budget_block"
    And the model was asked 2 times
    And task "001" has used 5160 tokens
    And task "001" is "failed"
    And the integration branch has not moved
    And the log has no "landing.intent" event

  Scenario: A budget that was crossed before a kill still holds after it
    Given the agent is a scripted "codex"
    And the configuration:
      """
      budgets: {mode: block, max_tokens_per_task: 1030}
      """
    And the model answers:
      """
      - shell: append src/greeting.js one; signal at-work; await never
        usage: {input: 1000, output: 30}
      - {text: Done., usage: {input: 1100, output: 5}}
      """
    When I start "mycelium run --run-id first"
    And a script signals "at-work"
    And the started command is killed
    And I run "mycelium resume --run-id first"
    Then the exit code is 1
    And the stop reason is "budget_block"
    And the model was asked 1 time
    And task "001" has used 1030 tokens
    And task "001" is "failed"
    And task "001" is not "landed"
    And the integration branch has not moved
    And the log has no "landing.intent" event

  Scenario: Parallel agents pass the budget of a run by no more than what was under way
    Given the plan:
      | id  | name           | writes          |
      | 001 | write-greeting | src/greeting.js |
      | 002 | write-farewell | src/farewell.js |
      | 003 | write-thanks   | src/thanks.js   |
      | 004 | write-sorry    | src/sorry.js    |
    And the agent is a scripted "codex"
    And the configuration:
      """
      max_parallel: 4
      budgets: {mode: block, max_tokens_per_run: 2000}
      """
    And the model answers:
      """
      - {shell: append "src/$MYCELIUM_TASK_ID.js" one, usage: {input: 1000, output: 30}, times: 1000}
      """
    When I run "mycelium run"
    Then the exit code is 1
    And the stop reason is "budget_block"
    And the model was asked no more than 5 times
    And the integration branch has not moved
    And the log has no "landing.intent" event
    And the log has no "task.landed" event

  @control
  Scenario Outline: <agent> within its budget lands, and is counted to the token
    Given the agent is a scripted "<agent>"
    And the configuration:
      """
      budgets: {mode: block, max_tokens_per_task: 5000}
      """
    And the model answers:
      """
      - {shell: append src/greeting.js one, usage: {input: 1000, output: 30}}
      - {text: Done., usage: {input: 1200, cached: 1000, output: 5}}
      """
    When I run "mycelium run"
    Then the exit code is 0
    And task "001" is "landed"
    And task "001" has used 2235 tokens
    And the integration branch has moved
    And the log has no "budget.block" event

    Examples:
      | agent  |
      | codex  |
      | claude |

  @control
  Scenario: Without a limit the same work lands
    Given the agent reports 1500 tokens
    When I run "mycelium run"
    Then the exit code is 0
    And the run status is "complete"
    And task "001" is "landed"
    And task "001" has used 1500 tokens
    And the integration branch has moved
    And the integration branch holds the file "src/greeting.js"
    And the log has no "budget.block" event
    And the integration branch has lost no commit

  @control
  Scenario: In mode "warn" the same work lands with a warning
    Given the configuration:
      """
      budgets:
        mode: warn
        max_tokens_per_task: 1000
      """
    And the agent reports 1500 tokens
    When I run "mycelium run"
    Then the exit code is 0
    And the log has a "budget.warn" event for task "001"
    And task "001" is "landed"
    And the integration branch has moved
    And the log has no "budget.block" event

  @control
  Scenario: A task that uses its budget to the last token lands
    Given the configuration:
      """
      budgets:
        mode: block
        max_tokens_per_task: 1500
      """
    And the agent reports 1500 tokens
    When I run "mycelium run"
    Then the exit code is 0
    And task "001" is "landed"
    And the integration branch has moved
    And the log has no "budget.block" event
