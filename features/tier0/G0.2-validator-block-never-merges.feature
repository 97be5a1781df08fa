@G0.2 @tier0 @mock @docker
Feature: G0.2 A validator block never merges and flags a human review
  When a validator in mode "block" does not pass a task, or gives no valid report, the task waits for a human, the
  run fails, and nothing of it reaches the integration branch.

  Background:
    Given the repository "toy-repo"
    And the plan:
      | id  | name           | writes          |
      | 001 | write-greeting | src/greeting.js |

  Scenario: A failing report of the mock validator blocks
    Given the configuration:
      """
      test_validator:
        mode: block
        provider: mock
      """
    And the mock model answers:
      """
      {"pass": false, "summary": "the greeting has no test", "issues": [{"file": "src/greeting.js", "line": 1, "message": "untested"}]}
      """
    When I run "mycelium run"
    Then the exit code is 1
    And the run status is "failed"
    And the stop reason is "validator_block"
    And task "001" is "needs_human_review"
    And the log has a "worker.exit" event for task "001"
    And the log has a "validator.block" event for task "001"
    And the log has a "task.review" event for task "001"
    And a "validator.block" event says:
      | field         | value                    |
      | validator     | test                     |
      | summary       | the greeting has no test |
      | issues.0.file | src/greeting.js          |
      | error         | false                    |
    And the run file "tasks/001/attempt-1/validator-test.json" contains "the greeting has no test"
    And the run folder holds the file "tasks/001/attempt-1/diff.patch"
    And the integration branch has not moved
    And the integration branch does not hold the file "src/greeting.js"
    And the log has no "landing.intent" event
    And the log has no "task.landed" event
    And task "001" is not "landed"
    And the run status is not "complete"
    And the run folder does not hold the file "landing/1/candidate.json"

  Scenario: A failing report of a command blocks
    Given the configuration:
      """
      style_validator:
        mode: block
        provider: command
        command: |
          test -f src/greeting.js || exit 9
          echo '{"pass": false, "summary": "the style is not ours", "issues": []}'
      """
    When I run "mycelium run"
    Then the exit code is 1
    And the stop reason is "validator_block"
    And task "001" is "needs_human_review"
    And a "validator.block" event says:
      | field     | value                 |
      | validator | style                 |
      | summary   | the style is not ours |
      | error     | false                 |
    And the run file "tasks/001/attempt-1/validator-style.json" contains "the style is not ours"
    And the integration branch has not moved
    And the log has no "landing.intent" event

  Scenario Outline: No valid report blocks: the model answers <what>
    Given the configuration:
      """
      test_validator:
        mode: block
      """
    And the mock model answers:
      """
      <answer>
      """
    When I run "mycelium run"
    Then the exit code is 1
    And the stop reason is "validator_block"
    And task "001" is "needs_human_review"
    And a "validator.block" event says:
      | field | value |
      | error | true  |
    And the integration branch has not moved
    And the log has no "landing.intent" event

    Examples:
      | what                | answer                        |
      | a sentence          | all tests pass                |
      | an empty object     | {}                            |
      | a verdict as a text | {"pass": "true"}              |
      | an unknown key      | {"pass": true, "sure": true}  |
      | two reports         | {"pass": true} {"pass": true} |
      | a report in a list  | [{"pass": true}]              |
      | half a report       | {"pass": true, "summary":     |

  Scenario: The planner's answer is not taken for a report
    Given the configuration:
      """
      architecture_validator:
        mode: block
      """
    When I run "mycelium run"
    Then the exit code is 1
    And task "001" is "needs_human_review"
    And a "validator.block" event says:
      | field     | value        |
      | validator | architecture |
      | error     | true         |
    And the integration branch has not moved

  Scenario: A doctor that tests nothing of the work is judged before it decides
    Given the doctor runs:
      """
      exit 0
      """
    And the configuration:
      """
      doctor_validator:
        mode: block
        provider: command
        command: |
          test -s "$MYCELIUM_DOCTOR" || exit 9
          if grep -q greeting "$MYCELIUM_DOCTOR"; then
            echo '{"pass": true, "summary": "", "issues": []}'
          else
            echo '{"pass": false, "summary": "the doctor never looks at the greeting", "issues": []}'
          fi
      """
    When I run "mycelium run"
    Then the exit code is 1
    And the stop reason is "validator_block"
    And task "001" is "needs_human_review"
    And a "validator.block" event says:
      | field     | value                                  |
      | validator | doctor                                 |
      | summary   | the doctor never looks at the greeting |
      | error     | false                                  |
    And the run file "tasks/001/attempt-1/validator-doctor.json" contains "never looks at the greeting"
    And the integration branch has not moved
    And the integration branch does not hold the file "src/greeting.js"
    And the log has no "landing.intent" event

  @control
  Scenario: A doctor that tests the work passes its validator, and the work lands
    Given the doctor runs:
      """
      test -f src/greeting.js
      """
    And the configuration:
      """
      doctor_validator:
        mode: block
        provider: command
        command: |
          grep -q greeting "$MYCELIUM_DOCTOR" || exit 9
          echo '{"pass": true, "summary": "", "issues": []}'
      """
    When I run "mycelium run"
    Then the exit code is 0
    And a "validator.pass" event says:
      | field     | value  |
      | validator | doctor |
    And task "001" is "landed"
    And the integration branch has moved
    And the log has no "validator.block" event

  Scenario: A command that fails after a passing report blocks
    Given the configuration:
      """
      test_validator:
        mode: block
        provider: command
        command: |
          echo '{"pass": true}'
          exit 1
      """
    When I run "mycelium run"
    Then the exit code is 1
    And task "001" is "needs_human_review"
    And a "validator.block" event says:
      | field | value |
      | error | true  |
    And the integration branch has not moved

  Scenario Outline: A failing report of <agent> blocks
    Given the "test" validator is a scripted "<agent>"
    And the configuration:
      """
      test_validator: {mode: block}
      """
    And the model answers:
      """
      - text: '{"pass": false, "summary": "the greeting has no test", "issues": []}'
        usage: {input: 500, output: 40}
      """
    When I run "mycelium run"
    Then the exit code is 1
    And the stop reason is "validator_block"
    And task "001" is "needs_human_review"
    And a "validator.block" event says:
      | field   | value                    |
      | summary | the greeting has no test |
      | error   | false                    |
    And the "test" validator has used:
      | kind   | count |
      | input  | 500   |
      | output | 40    |
    And the integration branch has not moved
    And the log has no "landing.intent" event

    Examples:
      | agent  |
      | codex  |
      | claude |

  Scenario Outline: An agent that gives no report blocks: <agent> says <what>
    Given the "test" validator is a scripted "<agent>"
    And the configuration:
      """
      test_validator: {mode: block}
      """
    And the model answers:
      """
      - <answer>
      """
    When I run "mycelium run"
    Then the exit code is 1
    And the stop reason is "validator_block"
    And a "validator.block" event says:
      | field | value |
      | error | true  |
    And the integration branch has not moved
    And the log has no "landing.intent" event

    Examples:
      | agent  | what                     | answer                  |
      | codex  | a sentence               | text: looks good to me  |
      | claude | a sentence               | text: looks good to me  |
      | codex  | that its key was refused | {status: 403, body: {}} |

  Scenario: A sibling that passed does not land either, and keeps its work
    Given the plan:
      | id  | name           | writes          |
      | 001 | write-greeting | src/greeting.js |
      | 002 | write-farewell | src/farewell.js |
    And the configuration:
      """
      test_validator:
        mode: block
        provider: command
        command: |
          if [ -f src/farewell.js ]; then echo '{"pass": false}'; else echo '{"pass": true}'; fi
      """
    When I run "mycelium run"
    Then the exit code is 1
    And task "002" is "needs_human_review"
    And task "001" is "validated"
    And task "001" keeps its commit
    And the log has a "validator.pass" event for task "001"
    And the integration branch has not moved
    And the log has no "landing.intent" event

  @control
  Scenario: The same work lands when the validator passes it
    Given the configuration:
      """
      test_validator:
        mode: block
      """
    And the mock model answers:
      """
      {"pass": true, "summary": "well tested", "issues": []}
      """
    When I run "mycelium run"
    Then the exit code is 0
    And the log has a "validator.pass" event for task "001"
    And task "001" is "landed"
    And the integration branch has moved
    And the log has no "validator.block" event
    And task "001" is not "needs_human_review"

  @control
  Scenario Outline: The same work lands when <agent> passes it
    Given the "test" validator is a scripted "<agent>"
    And the configuration:
      """
      test_validator: {mode: block}
      """
    And the model answers:
      """
      - text: '{"pass": true, "summary": "well tested", "issues": []}'
      """
    When I run "mycelium run"
    Then the exit code is 0
    And the log has a "validator.pass" event for task "001"
    And task "001" is "landed"
    And the integration branch has moved
    And the log has no "validator.block" event

    Examples:
      | agent  |
      | codex  |
      | claude |

  @control
  Scenario: In mode "warn" the same report lets the work land
    Given the configuration:
      """
      test_validator:
        mode: warn
      """
    And the mock model answers:
      """
      {"pass": false, "summary": "the greeting has no test", "issues": []}
      """
    When I run "mycelium run"
    Then the exit code is 0
    And the log has a "validator.warn" event for task "001"
    And task "001" is "landed"
    And the integration branch has moved
    And the log has no "validator.block" event
