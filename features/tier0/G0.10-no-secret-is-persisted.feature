# Not in containers: there the text of a scripted agent, with the secrets that it prints, is `worker.command`, which may hold none.
@G0.10 @tier0 @mock
Feature: G0.10 No secret is persisted
  The values of secret variables and the known shapes of keys are kept out of everything that a run writes and says,
  however they are spelled. What an agent writes into files is its work and lands as it is.

  Background:
    Given the repository "toy-repo"
    And the environment variable DEPLOY_TOKEN is "correct horse/battery staple"
    And the plan:
      | id  | name           | writes          | verify               |
      | 001 | write-greeting | src/greeting.js | echo "$DEPLOY_TOKEN" |
    And the agent runs:
      """
      write src/greeting.js "a greeting"
      echo "plain $DEPLOY_TOKEN"
      echo "on standard error $DEPLOY_TOKEN" >&2
      printf '%s' "correct ho"; printf 'rse/battery staple in two pieces\n'
      printf '%s' "user:$DEPLOY_TOKEN" | base64
      printf '%s' "$DEPLOY_TOKEN" | base64
      echo "https://example.invalid/?token=correct%20horse%2Fbattery%20staple"
      printf '{"type":"note","text":"%s"}\n' "$DEPLOY_TOKEN"
      """

  Scenario: What agent and gates print about a secret is kept without it
    Given the configuration:
      """
      worker: {env: [DEPLOY_TOKEN]}
      """
    When I run "mycelium run"
    And I run "mycelium status --json"
    Then the exit code is 0
    And task "001" is "landed"
    And the log has a "secret.redacted" event for task "001"
    And a "secret.redacted" event says:
      | field | value                         |
      | place | tasks/001/attempt-1/agent.log |
      | name  | DEPLOY_TOKEN                  |
      | count | 7                             |
    And the run file "tasks/001/attempt-1/agent.log" contains "plain [redacted:DEPLOY_TOKEN]"
    And the run file "tasks/001/attempt-1/verify.log" contains "[redacted:DEPLOY_TOKEN]"
    And the run file "tasks/001/attempt-1/events.jsonl" contains "[redacted:DEPLOY_TOKEN]"
    And the run folder does not hold the secret "correct horse/battery staple" in any encoding
    And no command says the secret "correct horse/battery staple" in any encoding

  Scenario: A doctor that holds a secret itself stops the run before it begins
    Given the environment variable PHRASE is "tell nobody about this"
    And the configuration:
      """
      worker: {env: [DEPLOY_TOKEN, PHRASE]}
      secrets: [PHRASE]
      """
    And the doctor runs:
      """
      echo "tell nobody about this"
      exit 1
      """
    When I run "mycelium run"
    Then the exit code is 2
    And standard error says "holds the value of PHRASE"
    And no run was created
    And no command says the secret "tell nobody about this" in any encoding

  Scenario: A key in the configuration itself stops the run before it begins, with its place
    Given the configuration:
      """
      worker: {env: [DEPLOY_TOKEN, "SERVICE=AKIA2E7QWERTYUIOPASD"]}
      """
    When I run "mycelium run"
    Then the exit code is 2
    And standard error says "`worker.env` in the configuration"
    And standard error says "holds what looks like a secret (aws-access-key)"
    And no run was created
    And no command says the secret "AKIA2E7QWERTYUIOPASD" in any encoding

  Scenario: A listed variable is secret whatever its name is, also in the log of a doctor that refuses
    Given the environment variable PHRASE is "tell nobody about this"
    And the configuration:
      """
      worker: {env: [DEPLOY_TOKEN, PHRASE]}
      secrets: [PHRASE]
      """
    And the doctor runs:
      """
      echo "refused because $PHRASE"
      exit 1
      """
    When I run "mycelium run"
    Then the exit code is 1
    And task "001" is "failed"
    And the run file "landing/1/doctor.log" contains "refused because [redacted:PHRASE]"
    And the run folder does not hold the secret "tell nobody about this" in any encoding
    And no command says the secret "tell nobody about this" in any encoding
    And the integration branch has not moved

  Scenario: A key that nobody declared is known by its shape, and the file that holds it lands as it is
    Given the configuration:
      """
      worker: {env: [DEPLOY_TOKEN]}
      """
    And the agent runs:
      """
      key=gh; key=${key}p_0123456789abcdefghijABCDEFGHIJ012345
      write src/greeting.js "$key"
      echo "found $key"
      """
    When I run "mycelium run"
    Then the exit code is 0
    And the run file "tasks/001/attempt-1/agent.log" contains "found [redacted:github-token]"
    And the run file "tasks/001/attempt-1/diff.patch" contains "+[redacted:github-token]"
    And the file "src/greeting.js" on the integration branch contains "p_0123456789abcdefghijABCDEFGHIJ012345"
    And the run folder does not hold the secret "p_0123456789abcdefghijABCDEFGHIJ012345" in any encoding
    And no command says the secret "p_0123456789abcdefghijABCDEFGHIJ012345" in any encoding

  Scenario: What is kept is its owner's alone, whatever the umask
    Given the umask is 000
    And the configuration:
      """
      bootstrap: ["true"]
      worker: {env: [DEPLOY_TOKEN]}
      cleanup: {workspaces: never}
      """
    When I run "mycelium run"
    Then the exit code is 0
    And task "001" is "landed"
    And nobody but the owner may look into what is kept

  Scenario: A run that is killed and resumed keeps its secrets out, of what was under way too
    Given the configuration:
      """
      worker: {env: [DEPLOY_TOKEN]}
      secrets: [DEPLOY_TOKEN]
      """
    And the agent runs:
      """
      echo "plain $DEPLOY_TOKEN"
      printf '{"type":"note","text":"%s"}\n' "$DEPLOY_TOKEN"
      echo "on standard error $DEPLOY_TOKEN" >&2
      if once first; then
        printf 'the first half correct ho'
        signal at-work
        await never
      fi
      write src/greeting.js "a greeting"
      """
    And the doctor runs:
      """
      echo "doctored with $DEPLOY_TOKEN"
      if once doctor; then signal in-doctor; await never; fi
      """
    When I start "mycelium run --run-id first"
    And a script signals "at-work"
    And the started command is killed
    Then the run folder does not hold the secret "correct horse/battery staple" in any encoding
    When I run "mycelium logs query --run-id first"
    And I start "mycelium resume --run-id first"
    And a script signals "in-doctor"
    And the started command is killed
    And I run "mycelium resume --run-id first"
    Then the exit code is 0
    And task "001" is "landed"
    And the run file "tasks/001/attempt-2/agent.log" contains "plain [redacted:DEPLOY_TOKEN]"
    And the run file "landing/1/doctor.log" contains "doctored with [redacted:DEPLOY_TOKEN]"
    And the log has a "secret.redacted" event for task "001"
    When I run "mycelium logs failures --run-id first"
    Then the run folder does not hold the secret "correct horse/battery staple" in any encoding
    And no command says the secret "correct horse/battery staple" in any encoding

  @control
  Scenario: What nobody calls a secret is kept word for word
    Given the environment variable PHRASE is "tell everybody about this"
    And the configuration:
      """
      worker: {env: [PHRASE]}
      """
    And the plan:
      | id  | name           | writes          | verify         |
      | 001 | write-greeting | src/greeting.js | echo "$PHRASE" |
    And the agent runs:
      """
      write src/greeting.js "a greeting"
      echo "plain $PHRASE 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
      """
    When I run "mycelium run"
    Then the exit code is 0
    And task "001" is "landed"
    And the run file "tasks/001/attempt-1/agent.log" contains "plain tell everybody about this 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
    And the run file "tasks/001/attempt-1/verify.log" contains "tell everybody about this"
    And the log has no "secret.redacted" event
