@G1.19 @tier1 @mock
Feature: G1.19 An agent's lie is not believed
  An agent that says that it is done, and exits so, has done its work only if something changed and nothing that is known
  of it says otherwise. Else its attempt has failed, with the kind of failure and the agent's own words, and nothing of
  it lands.

  Background:
    Given the repository "toy-repo"
    And the plan:
      | id  | name           | writes          |
      | 001 | write-greeting | src/greeting.js |
    And the configuration:
      """
      max_retries: 0
      """

  Scenario Outline: <agent> says that it is done after a command that failed
    Given the agent is a scripted "<agent>"
    And the model answers:
      """
      - shell: mkdir src/greeting.js/not-a-folder 2>/dev/null; exit 7
      - text: I have written the greeting, and all tests pass.
      """
    When I run "mycelium run --run-id first"
    Then the exit code is 1
    And a "worker.exit" event says:
      | field     | value  |
      | reason    | exited |
      | exit_code | 0      |
    And a reason of task "001" says "changed nothing"
    And task "001" is "failed"
    And task "001" is not "landed"
    And the log has no "landing.intent" event
    And the integration branch has not moved

    Examples:
      | agent  |
      | codex  |
      | claude |

  Scenario Outline: <agent> says that it is done and nothing else
    Given the agent is a scripted "<agent>"
    And the model answers:
      """
      - usage: {input: 10, output: 0}
      """
    When I run "mycelium run --run-id first"
    Then the exit code is 1
    And a reason of task "001" says "says that it is done, and neither said nor changed anything (empty)"
    And task "001" is "failed"
    And task "001" is not "landed"
    And the log has no "landing.intent" event
    And the integration branch has not moved

    Examples:
      | agent  |
      | codex  |
      | claude |

  Scenario Outline: <agent> exits with 0 after a failure in the middle of its work
    Given the agent is a scripted "<agent>"
    And the configuration:
      """
      worker: {args: [--scripted, exits=0]}
      """
    And the model answers:
      """
      - shell: append src/greeting.js half-a-greeting
      - status: 403
        body: {type: error, error: {type: permission_error, message: this key may not}}
      """
    When I run "mycelium run --run-id first"
    Then the exit code is 1
    And a "worker.exit" event says:
      | field     | value  |
      | reason    | exited |
      | exit_code | 0      |
    And a reason of task "001" says "(auth)"
    And a reason of task "001" says "this key may not"
    And task "001" is "failed"
    And task "001" is not "landed"
    And the log has no "landing.intent" event
    And the integration branch has not moved

    Examples:
      | agent  |
      | codex  |
      | claude |

  Scenario: What was said to be done and exited otherwise is not done
    Given the agent is a scripted "codex"
    And the configuration:
      """
      worker: {args: [--scripted, exits=1]}
      """
    And the model answers:
      """
      - shell: append src/greeting.js a-greeting
      - text: Done.
      """
    When I run "mycelium run --run-id first"
    Then the exit code is 1
    And a reason of task "001" says "says that it is done, and exited with 1 (killed)"
    And task "001" is not "landed"
    And the integration branch has not moved

  @control
  Scenario Outline: <agent> that says what is so lands
    Given the agent is a scripted "<agent>"
    And the model answers:
      """
      - shell: append src/greeting.js a-greeting
      - text: Done.
      """
    When I run "mycelium run --run-id first"
    Then the exit code is 0
    And task "001" is "landed"
    And the log has no "task.fail" event
    And the integration branch has moved

    Examples:
      | agent  |
      | codex  |
      | claude |
