@G1.11 @tier1 @mock @docker
Feature: G1.11 Validator warn mode
  A validator in mode "warn" judges, its verdict is told and kept, and nothing is stopped by it. In mode "off" it is not
  asked.

  Background:
    Given the repository "toy-repo"
    And the plan:
      | id  | name           | writes          |
      | 001 | write-greeting | src/greeting.js |

  Scenario Outline: A <validator> validator that does not pass the work warns, and the work lands
    Given the configuration:
      """
      <validator>_validator:
        mode: warn
        provider: mock
      """
    And the mock model answers:
      """
      {"pass": false, "summary": "could be better", "issues": [{"file": "src/greeting.js", "line": 1, "message": "terse"}]}
      """
    When I run "mycelium run"
    Then the exit code is 0
    And the run status is "complete"
    And a "validator.warn" event says:
      | field            | value           |
      | validator        | <validator>     |
      | summary          | could be better |
      | issues.0.message | terse           |
      | error            | false           |
    And the run file "tasks/001/attempt-1/validator-<validator>.json" contains "could be better"
    And task "001" is "landed"
    And the integration branch holds the file "src/greeting.js"
    And the log has no "validator.block" event
    And the log has no "task.review" event
    And task "001" has not made more than 1 attempt

    Examples:
      | validator    |
      | test         |
      | style        |
      | architecture |
      | doctor       |

  Scenario Outline: A validator without a valid verdict warns as an error, and the work lands: it <what>
    Given the configuration:
      """
      style_validator:
        mode: warn
        provider: command
        command: |
          <command>
      """
    When I run "mycelium run"
    Then the exit code is 0
    And a "validator.warn" event says:
      | field     | value |
      | validator | style |
      | error     | true  |
    And task "001" is "landed"
    And the integration branch has moved
    And the log has no "validator.block" event
    And the log has no "validator.pass" event

    Examples:
      | what              | command                                                    |
      | says nothing      | true                                                       |
      | fails             | echo '{"pass": true, "summary": "", "issues": []}'; exit 1 |
      | answers in prose  | echo 'looks good to me'                                    |
      | lacks the verdict | echo '{"summary": "fine", "issues": []}'                   |
      | is missing        | no-such-validator                                          |

  Scenario: A validator that passes the work does not warn
    Given the configuration:
      """
      test_validator: {mode: warn}
      """
    And the mock model answers:
      """
      {"pass": true, "summary": "well tested", "issues": []}
      """
    When I run "mycelium run"
    Then the exit code is 0
    And the log has a "validator.pass" event for task "001"
    And task "001" is "landed"
    And the log has no "validator.warn" event
    And the log has no "validator.block" event

  Scenario: One validator warns and another blocks: nothing lands
    Given the configuration:
      """
      test_validator: {mode: warn}
      style_validator: {mode: block}
      """
    And the mock model answers:
      """
      {"pass": false, "summary": "could be better", "issues": []}
      """
    When I run "mycelium run"
    Then the exit code is 1
    And the stop reason is "validator_block"
    And a "validator.warn" event says:
      | field     | value |
      | validator | test  |
    And a "validator.block" event says:
      | field     | value |
      | validator | style |
    And the integration branch has not moved
    And the log has no "landing.intent" event

  Scenario: A validator that is off is not asked
    Given the configuration:
      """
      test_validator:
        mode: "off"
        provider: command
        command: exit 1
      """
    When I run "mycelium run"
    Then the exit code is 0
    And task "001" is "landed"
    And the integration branch has moved
    And the log has no "validator.warn" event
    And the log has no "validator.pass" event
    And the run folder does not hold the file "tasks/001/attempt-1/validator-test.json"
