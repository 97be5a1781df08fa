# Not in containers: planning runs no command.
@G1.2 @tier1 @mock
Feature: G1.2 Planning is deterministic, byte for byte
  The same planner's answer always gives the same task files. What is there is never overwritten unasked, and a wrong
  plan leaves nothing behind.

  Background:
    Given the repository "toy-repo"
    And the configuration:
      """
      resources:
        - name: repo
          paths: []
      """

  Scenario: The same answer gives the same bytes
    Given the planner proposes:
      | id  | name           | writes                        | dependencies | write locks | verify |
      | 002 | write-farewell | src/farewell.js               | 001          | repo        |        |
      | 001 | write-greeting | src/greeting.js, test/**/*.js |              |             | true   |
    When I run "mycelium plan --input .mycelium/plan.md"
    And the user deletes the folder ".mycelium/tasks"
    And I run "mycelium plan --input .mycelium/plan.md"
    Then the exit code is 0
    And the planned tasks are "001, 002"
    And the manifest of task "001" allows "test/**/*.js"
    And the task files are the same as after the first command
    And the user's checkout has not changed
    And no ref has changed
    And no run was created

  Scenario: The same answer gives the same bytes in another place
    Given the planner proposes:
      | id  | name           | writes          | dependencies | write locks |
      | 002 | write-farewell | src/farewell.js | 001          | repo        |
      | 001 | write-greeting | src/greeting.js |              |             |
    And a second place like this one
    When I run "mycelium plan --input .mycelium/plan.md" in both places
    Then the exit code is 0
    And the task files are the same in both places
    And no run was created

  Scenario: The same plan again changes nothing
    Given the plan:
      | id  | name           | writes          |
      | 001 | write-greeting | src/greeting.js |
    When I run "mycelium plan --input .mycelium/plan.md"
    Then the exit code is 0
    And the planned tasks are "001"
    And the task files have not changed

  Scenario: The order in which the planner lists the tasks does not matter
    Given the plan:
      | id  | name           | writes          |
      | 001 | write-greeting | src/greeting.js |
      | 002 | write-farewell | src/farewell.js |
    And the planner proposes:
      | id  | name           | writes          |
      | 002 | write-farewell | src/farewell.js |
      | 001 | write-greeting | src/greeting.js |
    When I run "mycelium plan --input .mycelium/plan.md"
    Then the exit code is 0
    And the planned tasks are "001, 002"
    And the task files have not changed

  Scenario: Another plan is refused unless it is forced
    Given the plan:
      | id  | name           | writes          |
      | 001 | write-greeting | src/greeting.js |
    And the planner proposes:
      | id  | name         | writes        |
      | 003 | write-thanks | src/thanks.js |
    When I run "mycelium plan --input .mycelium/plan.md"
    Then the exit code is 2
    And standard error says "--force"
    And standard error says "src/thanks.js"
    And the planned tasks are "001"
    And the task files have not changed

  Scenario: A forced plan also removes what is no longer planned
    Given the plan:
      | id  | name           | writes          |
      | 001 | write-greeting | src/greeting.js |
    And the planner proposes:
      | id  | name         | writes        |
      | 003 | write-thanks | src/thanks.js |
    When I run "mycelium plan --input .mycelium/plan.md --force"
    Then the exit code is 0
    And the planned tasks are "003"
    And the manifest of task "003" allows "src/thanks.js"
    And the checkout does not hold the file ".mycelium/tasks/001-write-greeting/manifest.json"
    And no run was created

  Scenario: A dry run shows the tasks and writes nothing
    Given the planner proposes:
      | id  | name           | writes          |
      | 001 | write-greeting | src/greeting.js |
    When I run "mycelium plan --input .mycelium/plan.md --dry-run"
    Then the exit code is 0
    And standard output says "001"
    And no task was written

  Scenario Outline: A wrong plan is refused at its place and leaves nothing behind: <what>
    Given the planner answers:
      """
      <answer>
      """
    When I run "mycelium plan --input .mycelium/plan.md"
    Then the exit code is 2
    And standard error says "planner-output.json:<place>"
    And standard error says "<why>"
    And standard error says "help:"
    And no task was written
    And no run was created

    Examples:
      | what                  | place | why                 | answer                                                                                                        |
      | an unknown lock       | 1:60  | no resource         | {"tasks": [{"id": "001", "name": "a", "locks": {"writes": ["repoo"]}}]}                                       |
      | an unknown dependency | 1:56  | no task of the plan | {"tasks": [{"id": "001", "name": "a", "dependencies": ["007"]}]}                                              |
      | a task needing itself | 1:56  | depends on itself   | {"tasks": [{"id": "001", "name": "a", "dependencies": ["001"]}]}                                              |
      | a cycle               | 1:103 | cycle               | {"tasks": [{"id": "a", "name": "a", "dependencies": ["b"]}, {"id": "b", "name": "b", "dependencies": ["a"]}]} |
      | a duplicate id        | 1:47  | 001                 | {"tasks": [{"id": "001", "name": "a"}, {"id": "001", "name": "b"}]}                                           |
      | an id that escapes    | 1:19  | ../../evil          | {"tasks": [{"id": "../../evil", "name": "a"}]}                                                                |
      | a path that escapes   | 1:60  | ../outside.txt      | {"tasks": [{"id": "001", "name": "a", "files": {"writes": ["../outside.txt"]}}]}                              |
      | an absolute path      | 1:60  | /etc/passwd         | {"tasks": [{"id": "001", "name": "a", "files": {"writes": ["/etc/passwd"]}}]}                                 |
      | an unknown key        | 1:49  | writess             | {"tasks": [{"id": "001", "name": "a", "files": {"writess": []}}]}                                             |
      | no task at all        | 1:1   | no task             | {"tasks": []}                                                                                                 |
      | half an answer        | 1:    | error               | {"tasks": [{"id": "001",                                                                                      |
      | a sentence            | 1:1   | error               | I would rather not.                                                                                           |

  Scenario: All problems of a plan are reported at once
    Given the planner answers:
      """
      {"tasks": [
        {"id": "001", "name": "a", "locks": {"writes": ["repoo"]}},
        {"id": "001", "name": "b", "dependencies": ["009"]},
        {"id": "../x", "name": "c"}
      ]}
      """
    When I run "mycelium plan --input .mycelium/plan.md"
    Then the exit code is 2
    And standard error says "planner-output.json:2:51"
    And standard error says "planner-output.json:3:10"
    And standard error says "planner-output.json:3:47"
    And standard error says "planner-output.json:4:10"
    And no task was written

  Scenario: A planner without an answer is an error
    When I run "mycelium plan --input .mycelium/plan.md"
    Then the exit code is 2
    And standard error says "MOCK_LLM_OUTPUT"
    And no task was written
