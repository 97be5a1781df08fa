@G0.14 @tier0 @mock @docker
Feature: G0.14 No worker ever sees a key
  The operator's key for a model reaches the model's provider and nobody else. Wherever a worker can look, at its own
  environment and command line and at those of everything that works for it, at files, commits and its conversation, the
  key is not there.

  Background:
    Given the repository "toy-repo"
    And the plan:
      | id  | name           | writes          | verify                 |
      | 001 | write-greeting | src/greeting.js | env >src/greeting-2.js |
    And the configuration:
      """
      max_retries: 0
      cleanup: {workspaces: never}
      """

  Scenario Outline: <agent> looks everywhere, and the key is nowhere but at the provider
    Given the agent is a scripted "<agent>"
    And the key of the model is "sk-planted-for-the-provider-0123456789"
    And the model answers:
      """
      - shell: |
          {
            env
            for process in /proc/[0-9]*; do
              if tr '\0' '\n' <"$process/environ" 2>/dev/null | grep -q '^MYCELIUM_TASK_ID=001$'; then
                tr '\0' '\n' <"$process/environ"
                tr '\0' ' ' <"$process/cmdline"
              fi
            done
          } >src/greeting.js
      - text: I have looked.
      """
    When I run "mycelium run --run-id first"
    Then the exit code is 0
    And every request to the model carries the key "sk-planted-for-the-provider-0123456789"
    And the integration branch holds the file "src/greeting.js"
    And the file "src/greeting.js" on the integration branch contains "MYCELIUM_TASK_ID=001"
    And the file "src/greeting.js" on the integration branch contains "scripted-agent <agent>"
    And the file "src/greeting.js" on the integration branch does not contain "sk-planted-for-the-provider-0123456789"
    And the file "src/greeting.js" on the integration branch does not contain "OPERATORS_MODEL_KEY="
    And no file of this place holds the secret "sk-planted-for-the-provider-0123456789" in any encoding
    And no object of any git folder holds the secret "sk-planted-for-the-provider-0123456789" in any encoding
    And the run folder does not hold the secret "sk-planted-for-the-provider-0123456789" in any encoding
    And no conversation holds the secret "sk-planted-for-the-provider-0123456789"
    And no command says the secret "sk-planted-for-the-provider-0123456789" in any encoding

    Examples:
      | agent  |
      | codex  |
      | claude |

  Scenario: An agent that goes on after an interruption is given no key either
    Given the agent is a scripted "codex"
    And the key of the model is "sk-planted-for-the-provider-0123456789"
    And the model answers:
      """
      - {shell: signal at-work; await never}
      - {shell: env >src/greeting.js}
      - {text: I have looked.}
      """
    When I start "mycelium run --run-id first"
    And a script signals "at-work"
    And the started command gets SIGINT
    And the started command has ended
    And I run "mycelium resume --run-id first"
    Then the exit code is 0
    And every request to the model carries the key "sk-planted-for-the-provider-0123456789"
    And the file "src/greeting.js" on the integration branch contains "MYCELIUM_TASK_ID=001"
    And the file "src/greeting.js" on the integration branch does not contain "sk-planted-for-the-provider-0123456789"
    And no file of this place holds the secret "sk-planted-for-the-provider-0123456789" in any encoding
    And the run folder does not hold the secret "sk-planted-for-the-provider-0123456789" in any encoding
    And no conversation holds the secret "sk-planted-for-the-provider-0123456789"
    And no command says the secret "sk-planted-for-the-provider-0123456789" in any encoding

  Scenario: A provider that refuses the key, and says it, does not tell it to anybody
    Given the agent is a scripted "codex"
    And the key of the model is "sk-planted-for-the-provider-0123456789"
    And the model answers:
      """
      - status: 403
        body: {error: {message: "the key sk-planted-for-the-provider-0123456789 is not known", type: auth}}
      """
    When I run "mycelium run --run-id first"
    Then the exit code is 1
    And a reason of task "001" says "(auth)"
    And the run folder does not hold the secret "sk-planted-for-the-provider-0123456789" in any encoding
    And no command says the secret "sk-planted-for-the-provider-0123456789" in any encoding

  Scenario: A configuration that hands the key on to workers is refused
    Given the agent is a scripted "codex"
    And the configuration:
      """
      worker: {env: [OPERATORS_MODEL_KEY]}
      """
    When I run "mycelium run --run-id first"
    Then the exit code is 2
    And standard error says "OPERATORS_MODEL_KEY"
    And no run was created
    And the model was never asked

  @control
  Scenario: A key of the worker's own, which it is given, is found where the worker looks
    Given the agent is a scripted "codex"
    And the configuration:
      """
      worker: {env: ["OWN=sk-given-to-the-worker-0123456789"]}
      """
    And the model answers:
      """
      - shell: env >src/greeting.js
      - text: I have looked.
      """
    When I run "mycelium run --run-id first"
    Then the exit code is 0
    And the integration branch holds the file "src/greeting.js"
    And the file "src/greeting.js" on the integration branch contains "sk-given-to-the-worker-0123456789"
    And the log has no "task.fail" event
