# Not in containers: planning runs no command.
@G1.20 @tier1 @mock
Feature: G1.20 Planner answers are validated and repaired
  What a model answers is a plan only where it keeps to the form and to all rules of a plan. Everything that is wrong
  with it goes back, with its place, a bounded number of times; an answer that is still wrong then is refused, and
  nothing is written.

  Background:
    Given the repository "toy-repo"

  Scenario Outline: A flawed answer is given back with its flaws, and the corrected one is written: <interface>
    Given the planner asks a scripted model by "<interface>"
    And the model answers:
      """
      - text: "Of course! Here is your plan."
      - text: '{"tasks": [{"id": "001", "name": "write-greeting", "dependencies": ["000"]}]}'
      - text: '{"tasks": [{"id": "001", "name": "write-greeting", "files": {"writes": ["src/greeting.js"]}, "spec": "Greet."}]}'
      """
    When I run "mycelium plan --input .mycelium/plan.md"
    Then the exit code is 0
    And the planned tasks are "001"
    And the manifest of task "001" allows "src/greeting.js"
    And the model was asked 3 times
    And a question to the model says "the answer is not JSON"
    And a question to the model says "no task of the plan has the id"
    And standard error says "in 3 attempts: 330 tokens"
    And every request to the model carries the key "sk-of-the-operator-0123456789abcdef"
    And no conversation holds the secret "sk-of-the-operator-0123456789abcdef"
    And the model was asked no more than 3 times
    And no run was created

    Examples:
      | interface  |
      | openai     |
      | anthropic  |
      | compatible |

  Scenario: An answer that stays wrong is refused with its flaws at their places
    Given the planner asks a scripted model by "openai"
    And the configuration:
      """
      planner: {max_repairs: 1}
      """
    And the model answers:
      """
      - text: '{"tasks": [{"id": "001", "name": "write-greeting", "locks": {"writes": ["database"]}}]}'
      """
    When I run "mycelium plan --input .mycelium/plan.md"
    Then the exit code is 2
    And standard error says "attempt-2/answer.json:1:"
    And standard error says "no resource of the configuration has the name"
    And standard error says "after 2 attempts"
    And no task was written
    And the model was asked no more than 2 times
    And no run was created

  Scenario Outline: Who gives no answer is not asked for a repair: <case>
    Given the planner asks a scripted model by "openai"
    And the model answers:
      """
      - status: <status>
        headers: {retry-after: "0"}
        body: <body>
      """
    When I run "mycelium plan --input .mycelium/plan.md"
    Then the exit code is <exit>
    And standard error says "<said>"
    And no task was written
    And the model was asked no more than <asked> times
    And no run was created

    Examples:
      | case                  | status | body                                                                  | exit | said                     | asked |
      | a key that is wrong   | 401    | {error: {message: wrong}}                                             | 2    | the key was not accepted | 1     |
      | a provider that fails | 503    | {error: {message: down}}                                              | 4    | answered with 503: down  | 5     |
      | a model that refuses  | 200    | {status: completed, output: [{content: [{refusal: I will not}]}]}     | 2    | declined to answer       | 1     |
      | an answer cut off     | 200    | {status: incomplete, incomplete_details: {reason: max_output_tokens}} | 2    | was cut off              | 1     |

  @control
  Scenario: An answer that is a plan is written at once
    Given the planner asks a scripted model by "openai"
    And the model answers:
      """
      - text: '{"tasks": [{"id": "001", "name": "write-greeting", "files": {"writes": ["src/greeting.js"]}, "spec": "Greet."}]}'
      """
    When I run "mycelium plan --input .mycelium/plan.md"
    Then the exit code is 0
    And the planned tasks are "001"
    And the model was asked no more than 1 time
