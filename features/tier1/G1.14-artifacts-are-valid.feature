@G1.14 @tier1 @mock @docker
Feature: G1.14 Artifacts validate against their schemas
  Every file and every line of data that Mycelium writes is valid by the schema that "mycelium schema" prints, however
  the run ends. This is also looked at after each command of every other scenario.

  Scenario: A run that goes through much leaves valid artifacts of every kind
    Given the repository "conflict-repo"
    And the plan:
      | id  | name         | writes     |
      | 001 | append-left  | shared.txt |
      | 002 | append-right | shared.txt |
      | 003 | write-notes  |            |
    And the configuration:
      """
      test_validator: {mode: warn}
      budgets: {mode: warn, max_tokens_per_task: 1}
      """
    And the agent reports 15 tokens
    And the mock model answers:
      """
      {"pass": false, "summary": "could be better", "issues": [{"file": "shared.txt", "line": 1, "message": "terse"}]}
      """
    When I run "mycelium run"
    Then the exit code is 0
    And the log has a "landing.conflict" event
    And the log has a "task.rescope" event
    And these artifacts were checked:
      | artifact                                |
      | orchestrator.jsonl                      |
      | state.json                              |
      | plan.snapshot.json                      |
      | config.snapshot.yaml                    |
      | tasks/001/attempt-1/events.jsonl        |
      | tasks/001/attempt-1/compliance.json     |
      | tasks/001/attempt-1/manifest.json       |
      | tasks/001/attempt-1/validator-test.json |
      | tasks/002/attempt-2/events.jsonl        |
      | tasks/003/attempt-2/manifest.json       |
      | landing/1/candidate.json                |
      | landing/2/conflict.json                 |
    And no artifact breaks its schema

  Scenario: What is planned is valid
    Given the repository "toy-repo"
    And the planner proposes:
      | id  | name           | writes          | dependencies | verify |
      | 001 | write-greeting | src/greeting.js |              | true   |
      | 002 | write-farewell | src/farewell.js | 001          |        |
    When I run "mycelium plan --input .mycelium/plan.md"
    Then the exit code is 0
    And these artifacts were checked:
      | artifact                         |
      | plan.json                        |
      | 001-write-greeting/manifest.json |
      | 002-write-farewell/manifest.json |
    And no artifact breaks its schema
    And no run was created

  Scenario Outline: However a run ends, what it leaves is valid: <how>
    Given the repository "toy-repo"
    And the plan:
      | id  | name           | writes          |
      | 001 | write-greeting | src/greeting.js |
    And the configuration:
      """
      max_retries: 0
      manifest_enforcement: block
      """
    And the agent runs:
      """
      <deed>
      """
    And the doctor runs:
      """
      ! grep -rn BROKEN src
      """
    When I run "mycelium run"
    Then the exit code is 1
    And these artifacts were checked:
      | artifact                         |
      | orchestrator.jsonl               |
      | state.json                       |
      | tasks/001/attempt-1/events.jsonl |
    And no artifact breaks its schema
    And the integration branch has not moved

    Examples:
      | how                                  | deed                                                      |
      | the agent fails                      | exit 9                                                    |
      | the agent is killed                  | kill -9 $$                                                |
      | the doctor refuses                   | write src/greeting.js BROKEN                              |
      | the manifest blocks                  | write other.txt x                                         |
      | the agent prints what is no event    | echo '{"type": 7}'; echo '{"'; printf '\\0\\377x'; exit 1 |
      | the agent prints a faked event       | echo '{"v":1,"type":"task.landed","seq":1}'; exit 1       |
      | the agent prints a line without end  | printf '{"type":"turn.completed"'; exit 1                 |
      | the agent leaves no path that can be | touch "$(printf 'a\\nb')"                                 |

  Scenario: A run that was killed leaves valid lines
    Given the repository "toy-repo"
    And the plan:
      | id  | name           | writes          |
      | 001 | write-greeting | src/greeting.js |
    And the agent runs:
      """
      signal at-work
      await never
      """
    When I start "mycelium run"
    And a script signals "at-work"
    And the started command is killed
    Then these artifacts were checked:
      | artifact           |
      | orchestrator.jsonl |
      | plan.snapshot.json |
    And the log has a "task.start" event
    And no artifact breaks its schema
    And the integration branch has not moved

  Scenario Outline: The schema of <name> is there for everybody
    Given a folder that is not a git repository
    When I run "mycelium schema <name>"
    Then the exit code is 0
    And standard output is one JSON document
    And standard output says "$schema"
    And standard error does not say "error"

    Examples:
      | name             |
      | event            |
      | state            |
      | manifest         |
      | plan-index       |
      | plan-snapshot    |
      | config           |
      | candidate        |
      | conflict         |
      | compliance       |
      | validator-report |
