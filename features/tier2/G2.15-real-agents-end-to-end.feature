# Not in containers: an image that holds the real agents is made by .ci/agents, which tries Codex in one.
@G2.15 @tier2 @mock
Feature: G2.15 Codex and Claude Code end to end
  The real agents, at the versions whose events were recorded, work as workers of a run: in parallel, counted to the
  token, stopped by a budget in mid-turn, and gone on with after a kill. Their model is
  scripted.

  Background:
    Given the repository "toy-repo"
    And the plan:
      | id  | name           | writes          |
      | 001 | write-greeting | src/greeting.js |
      | 002 | write-farewell | src/farewell.js |

  Scenario Outline: <agent> works on two tasks at once, and every token is counted
    Given the agent is the real "<agent>"
    And the model answers what says "Do write-greeting.":
      """
      - {shell: echo greeting >src/greeting.js, usage: {input: 1000, output: 30}}
      - {text: Done., usage: {input: 1100, cached: 1000, output: 12}}
      """
    And the model answers what says "Do write-farewell.":
      """
      - {shell: echo farewell >src/farewell.js, usage: {input: 2000, output: 40}}
      - {text: Done., usage: {input: 2100, cached: 2000, output: 9}}
      """
    When I run "mycelium run --run-id first"
    Then the exit code is 0
    And task "001" has used 2142 tokens
    And task "002" has used 4149 tokens
    And the integration branch holds the file "src/greeting.js"
    And the integration branch holds the file "src/farewell.js"
    And the log has no "task.retry" event
    And no process is left

    Examples:
      | agent  |
      | codex  |
      | claude |

  Scenario Outline: <agent> is stopped by a budget in mid-turn, and nothing lands
    Given the agent is the real "<agent>"
    And the configuration:
      """
      max_parallel: 1
      budgets: {mode: block, max_tokens_per_task: 1030}
      """
    And the model answers:
      """
      - {shell: echo greeting >src/greeting.js, usage: {input: 1000, output: 30}}
      - {text: Done., usage: {input: 1100, output: 12}}
      """
    When I run "mycelium run --run-id first"
    Then the exit code is 1
    And the stop reason is "budget_block"
    And the model was asked 1 time
    And task "001" has used 1030 tokens
    And the integration branch has not moved
    And the log has no "landing.intent" event
    And no process is left

    Examples:
      | agent  |
      | codex  |
      | claude |

  Scenario Outline: <agent> goes on with its conversation after a kill, and what it used before is counted once
    Given the agent is the real "<agent>"
    And the plan:
      | id  | name           | writes          |
      | 001 | write-greeting | src/greeting.js |
    And the model answers:
      """
      - {shell: echo half >src/greeting.js; signal at-work; await never, usage: {input: 1000, output: 30}}
      - {shell: grep half src/greeting.js && echo greeting >>src/greeting.js, usage: {input: 1000, output: 30}}
      - {text: Done., usage: {input: 1100, output: 12}}
      """
    When I start "mycelium run --run-id first"
    And a script signals "at-work"
    And the conversation of task "001" is written down
    And the started command is killed
    And I run "mycelium resume --run-id first"
    Then the exit code is 0
    And task "001" has used 3172 tokens
    And task "001" has made 2 attempts
    And a "task.start" event says:
      | field     | value |
      | continues | 1     |
    And a question to the model says "You were interrupted"
    And the model was asked 3 times
    And the file "src/greeting.js" on the integration branch contains "greeting"
    And the log has no "task.fail" event
    And no process is left

    Examples:
      | agent  |
      | codex  |
      | claude |

  @control
  Scenario Outline: <agent> that only says that it is done lands nothing
    Given the agent is the real "<agent>"
    And the configuration:
      """
      max_retries: 0
      """
    And the model answers:
      """
      - {text: All done., usage: {input: 10, output: 1}}
      """
    When I run "mycelium run --run-id first"
    Then the exit code is 1
    And a reason of task "001" says "changed nothing"
    And the integration branch has not moved

    Examples:
      | agent  |
      | codex  |
      | claude |
