# Not in containers: the gateway is the same one, and asks nobody of the world that agents work in.
@G2.20 @tier2 @mock
Feature: G2.20 Cassettes replay byte for byte
  What models answered to a run is answered again in another place, with the models gone and without a key: the same
  work lands, for the same account, response by response. What was not asked when it was recorded is refused, and
  nothing of it lands.

  Background:
    Given the repository "toy-repo"
    And the plan:
      | id  | name           | writes          |
      | 001 | write-greeting | src/greeting.js |
      | 002 | write-farewell | src/farewell.js |
    And the configuration:
      """
      max_retries: 0
      test_validator: {mode: block}
      """

  Scenario Outline: A run of <agent> is repeated elsewhere, with its model and its key gone
    Given the agent is a scripted "<agent>"
    And the "test" validator asks a scripted model by "<interface>"
    And the model answers what says "You judge a change":
      """
      - text: '{"pass": true, "summary": "fine", "issues": []}'
        usage: {input: 500, cached: 100, output: 40}
      """
    And the model answers what says "Do write-greeting.":
      """
      - {shell: append src/greeting.js a-greeting, usage: {input: 1000, output: 30}}
      - {text: Done., usage: {input: 1100, cached: 1000, output: 12}}
      """
    And the model answers what says "Do write-farewell.":
      """
      - {shell: append src/farewell.js a-farewell, usage: {input: 2000, output: 40}}
      - {text: Done., usage: {input: 2100, cached: 2000, output: 9}}
      """
    And a second place like this one
    And the second place records the cassette "first"
    When I run "mycelium run --run-id there" in the second place
    And the cassette "first" is brought here and replayed
    And the model and its key are gone
    And I run "mycelium run --run-id here"
    Then the exit code is 0
    And task "001" has used 2682 tokens
    And task "002" has used 4689 tokens
    And models have used the same in both places
    And every task came out the same in both places
    And the files on the integration branch are the same in both places
    And the file "src/farewell.js" on the integration branch contains "a-farewell"
    And the model was asked no more than 6 times

    Examples:
      | agent  | interface |
      | codex  | openai    |
      | claude | anthropic |

  Scenario Outline: A task of <agent> that has changed is refused, and nothing of it lands
    Given the agent is a scripted "<agent>"
    And the model answers:
      """
      - {shell: append src/greeting.js a-greeting}
      - {text: Done.}
      """
    And the plan:
      | id  | name           | writes          |
      | 001 | write-greeting | src/greeting.js |
    And the configuration:
      """
      test_validator: {mode: 'off'}
      """
    And a second place like this one
    And the second place records the cassette "first"
    And the plan:
      | id  | name          | writes          |
      | 001 | write-welcome | src/greeting.js |
    When I run "mycelium run --run-id there" in the second place
    And the cassette "first" is brought here and replayed
    And I run "mycelium run --run-id here"
    Then the exit code is 4
    And standard error says "request 1 of the agent of task 001, attempt 1"
    And standard error says "is not in the cassette"
    And the run status is "interrupted"
    And the integration branch has not moved
    And the log has no "landing.intent" event
    And the model was asked no more than 2 times

    Examples:
      | agent  |
      | codex  |
      | claude |

  Scenario: A budget stops a replayed run where it stopped the recorded one
    Given the agent is a scripted "codex"
    And the model answers:
      """
      - {shell: append src/greeting.js a-greeting, usage: {input: 1000, output: 30}}
      - {text: Done., usage: {input: 1100, output: 12}}
      """
    And the plan:
      | id  | name           | writes          |
      | 001 | write-greeting | src/greeting.js |
    And the configuration:
      """
      test_validator: {mode: 'off'}
      budgets: {mode: block, max_tokens_per_task: 1030}
      """
    And a second place like this one
    And the second place records the cassette "first"
    When I run "mycelium run --run-id there" in the second place
    And the cassette "first" is brought here and replayed
    And the model and its key are gone
    And I run "mycelium run --run-id here"
    Then the exit code is 1
    And the stop reason is "budget_block"
    And task "001" has used 1030 tokens
    And models have used the same in both places
    And the integration branch has not moved
    And the log has no "landing.intent" event

  Scenario Outline: A recording that was cut off is no cassette, until its run has ended
    Given the agent is a scripted "<agent>"
    And the configuration:
      """
      test_validator: {mode: 'off'}
      max_parallel: 1
      gateway: {record: first}
      """
    And the model answers what says "Do write-greeting.":
      """
      - {shell: append src/greeting.js a-greeting}
      - {text: Done.}
      """
    And the model answers what says "Do write-farewell.":
      """
      - {shell: append src/farewell.js a-farewell; signal at-work; await never}
      - {shell: append src/farewell.js another-farewell}
      - {text: Done.}
      """
    When I start "mycelium run --run-id first"
    And a script signals "at-work"
    And the started command gets SIGINT
    And the started command has ended
    And the cassette "first" is replayed from now on
    And I run "mycelium run --run-id second"
    Then the exit code is 2
    And standard error says "has no end: its recording was cut off"
    And the integration branch does not hold the file "src/farewell.js"
    And no process is left
    When I run "mycelium resume --run-id first"
    Then the exit code is 0
    And the file "src/farewell.js" on the integration branch contains "another-farewell"
    And the file "src/farewell.js" on the integration branch does not contain "a-farewell"

    Examples:
      | agent  |
      | codex  |
      | claude |

  @control
  Scenario: With the model there, the changed task lands
    Given the agent is a scripted "codex"
    And the configuration:
      """
      test_validator: {mode: 'off'}
      """
    And the plan:
      | id  | name          | writes          |
      | 001 | write-welcome | src/greeting.js |
    And the model answers:
      """
      - {shell: append src/greeting.js a-greeting}
      - {text: Done.}
      """
    When I run "mycelium run --run-id here"
    Then the exit code is 0
    And the integration branch has moved
    And the log has no "run.stop" event
