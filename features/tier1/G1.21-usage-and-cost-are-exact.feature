@G1.21 @tier1 @mock @docker
Feature: G1.21 Usage and cost are exact
  Every token that a model reports for a task is counted once: of its agent and of its validators, by kind, over
  retries and over a kill and a resume. Cost follows from the price list, whose day is told with it. An agent that
  tells nothing is said to tell nothing.

  Background:
    Given the repository "toy-repo"
    And the plan:
      | id  | name           | writes          |
      | 001 | write-greeting | src/greeting.js |
    And the configuration:
      """
      test_validator: {mode: block}
      budgets:
        prices_as_of: "2026-01-31"
        prices:
          scripted-model: {input: 2, cached_input: 0.5, cache_write_input: 4, output: 10}
          gpt-5.5: {input: 2, cached_input: 0.5, output: 10}
          claude-sonnet-4-5: {input: 2, cached_input: 0.5, cache_write_input: 4, output: 10}
      """

  Scenario: Agent and validator are counted by kind, to the token
    Given the agent is a scripted "codex"
    And the "test" validator asks a scripted model by "openai"
    And the model answers:
      """
      - shell: append src/greeting.js a-greeting
        usage: {input: 1000, cached: 400, output: 30, reasoning: 20}
      - text: Done.
        usage: {input: 1100, cached: 1000, output: 12}
      """
    And the model answers what says "You judge a change":
      """
      - text: '{"pass": true, "summary": "fine", "issues": []}'
        usage: {input: 500, cached: 100, output: 40, reasoning: 5}
      """
    When I run "mycelium run --run-id first"
    Then the exit code is 0
    And task "001" is "landed"
    And task "001" has used:
      | kind          | count |
      | input         | 2600  |
      | cached        | 1500  |
      | output        | 82    |
      | reasoning     | 25    |
      | cost_microusd | 3770  |
    And the "test" validator has used:
      | kind          | count |
      | input         | 500   |
      | cached        | 100   |
      | output        | 40    |
      | reasoning     | 5     |
      | cost_microusd | 1250  |
    And standard output says "2682 tokens (1500 cached, 25 reasoning), $0.003770 at the prices of 2026-01-31"
    And task "001" has not used more than 2682 tokens
    And the model was asked no more than 3 times

  Scenario: What goes into the provider's cache has its own count and price
    Given the agent is a scripted "claude"
    And the "test" validator asks a scripted model by "anthropic"
    And the model answers:
      """
      - shell: append src/greeting.js a-greeting
        usage: {input: 1000, cached: 400, cache_write: 500, output: 30}
      - text: Done.
        usage: {input: 1100, cached: 1000, output: 12}
      """
    And the model answers what says "You judge a change":
      """
      - text: '{"pass": true, "summary": "fine", "issues": []}'
        usage: {input: 500, cached: 100, cache_write: 300, output: 40}
      """
    When I run "mycelium run --run-id first"
    Then the exit code is 0
    And task "001" has used:
      | kind          | count |
      | input         | 2600  |
      | cached        | 1500  |
      | cache_write   | 800   |
      | output        | 82    |
      | cost_microusd | 5370  |
    And task "001" has not used more than 2682 tokens

  Scenario: A kill and a resume count nothing twice and forget nothing
    Given the "test" validator asks a scripted model by "openai"
    And the "style" validator asks a scripted model by "openai"
    And the configuration:
      """
      style_validator: {mode: block}
      """
    And the agent runs:
      """
      append src/greeting.js a-greeting
      """
    And the model answers what says "Judge the tests":
      """
      - text: '{"pass": true, "summary": "fine", "issues": []}'
        usage: {input: 500, output: 40}
      """
    And the model answers what says "Judge the style":
      """
      - end: {stall_after: 0}
      - text: '{"pass": true, "summary": "fine", "issues": []}'
        usage: {input: 300, output: 20}
      """
    When I start "mycelium run --run-id first"
    And the model is asked what says "Judge the style"
    And the started command is killed
    And I run "mycelium resume --run-id first"
    Then the exit code is 0
    And task "001" is "landed"
    And task "001" has made 2 attempts
    And the "test" validator has used:
      | kind          | count |
      | input         | 1000  |
      | output        | 80    |
      | cost_microusd | 2800  |
    And the agent of task "001" told no usage in 2 attempts
    And task "001" has not used more than 1400 tokens

  Scenario: A validator counts into the budget of its task, and nothing over it lands
    Given the "test" validator asks a scripted model by "compatible"
    And the configuration:
      """
      budgets: {max_tokens_per_task: 1000}
      max_retries: 0
      """
    And the agent reports 900 tokens
    And the model answers:
      """
      - text: '{"pass": true, "summary": "fine", "issues": []}'
        usage: {input: 90, output: 11}
      """
    When I run "mycelium run --run-id first"
    Then the exit code is 1
    And the stop reason is "budget_block"
    And a "budget.block" event says:
      | field  | value  |
      | scope  | task   |
      | metric | tokens |
      | used   | 1001   |
      | limit  | 1000   |
    And the log has no "landing.intent" event
    And the integration branch has not moved

  @control
  Scenario: The same work within the budget lands
    Given the "test" validator asks a scripted model by "compatible"
    And the configuration:
      """
      budgets: {max_tokens_per_task: 1001}
      max_retries: 0
      """
    And the agent reports 900 tokens
    And the model answers:
      """
      - text: '{"pass": true, "summary": "fine", "issues": []}'
        usage: {input: 90, output: 11}
      """
    When I run "mycelium run --run-id first"
    Then the exit code is 0
    And the integration branch has moved
    And the log has no "budget.block" event
