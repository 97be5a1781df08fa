@G0.3 @tier0 @mock @docker
Feature: G0.3 A manifest block never merges
  When a task changes what its manifest does not allow and "manifest_enforcement" is "block", the task waits for a
  human and nothing of the run reaches the integration branch. A change below ".mycelium" blocks in every mode.

  Background:
    Given the repository "toy-repo"
    And the plan:
      | id  | name           | writes          |
      | 001 | write-greeting | src/greeting.js |

  Scenario Outline: An undeclared change blocks: <what>
    Given the configuration:
      """
      manifest_enforcement: block
      """
    And the agent runs:
      """
      write src/greeting.js "a greeting"
      <deed>
      """
    When I run "mycelium run"
    Then the exit code is 1
    And the run status is "failed"
    And the stop reason is "manifest_block"
    And task "001" is "needs_human_review"
    And task "001" has made 1 attempt
    And the log has a "worker.exit" event for task "001"
    And the log has a "manifest.block" event for task "001"
    And a "manifest.block" event says:
      | field               | value      |
      | violations.0.path   | <path>     |
      | violations.0.change | <change>   |
      | violations.0.kind   | undeclared |
    And the run file "tasks/001/attempt-1/compliance.json" contains "<path>"
    And the run file "tasks/001/attempt-1/diff.patch" contains "src/greeting.js"
    And the integration branch has not moved
    And the integration branch does not hold the file "src/greeting.js"
    And the log has no "landing.intent" event
    And the log has no "task.rescope" event
    And the manifest of task "001" does not allow "<path>"
    And task "001" is not "landed"
    And the run status is not "complete"
    And the run folder does not hold the file "landing/1/candidate.json"

    Examples:
      | what             | deed                           | path         | change       |
      | a new file       | write src/other.js "not asked" | src/other.js | added        |
      | a changed file   | append README.md "not asked"   | README.md    | modified     |
      | a deleted file   | rm README.md                   | README.md    | deleted      |
      | a changed mode   | chmod +x src/index.js          | src/index.js | mode_changed |
      | a file to a link | ln -sf index.js src/greet.js   | src/greet.js | mode_changed |

  Scenario: A change of a resource without its lock blocks, although the path is declared
    Given the configuration:
      """
      manifest_enforcement: block
      resources:
        - name: sources
          paths: ["src/**"]
      """
    When I run "mycelium run"
    Then the exit code is 1
    And the stop reason is "manifest_block"
    And task "001" is "needs_human_review"
    And a "manifest.block" event says:
      | field                 | value           |
      | violations.0.path     | src/greeting.js |
      | violations.0.kind     | unlocked        |
      | violations.0.resource | sources         |
    And the integration branch has not moved
    And the log has no "landing.intent" event

  Scenario Outline: A change below ".mycelium" blocks in mode "<mode>"
    Given the configuration:
      """
      manifest_enforcement: "<mode>"
      """
    And the agent runs:
      """
      write src/greeting.js "a greeting"
      write .mycelium/config.yaml "manifest_enforcement: off"
      """
    When I run "mycelium run"
    Then the exit code is 1
    And the stop reason is "manifest_block"
    And task "001" is "needs_human_review"
    And a "manifest.block" event says:
      | field             | value                 |
      | violations.0.path | .mycelium/config.yaml |
      | violations.0.kind | protected             |
    And the integration branch has not moved
    And the integration branch does not hold the file ".mycelium/config.yaml"
    And the log has no "landing.intent" event
    And the log has no "task.rescope" event

    Examples:
      | mode  |
      | off   |
      | warn  |
      | block |

  Scenario: A sibling within its manifest does not land either, and keeps its work
    Given the plan:
      | id  | name           | writes          |
      | 001 | write-greeting | src/greeting.js |
      | 002 | write-farewell | src/farewell.js |
    And the configuration:
      """
      manifest_enforcement: block
      """
    And the agent of task "001" runs:
      """
      write src/greeting.js "a greeting"
      """
    And the agent of task "002" runs:
      """
      write src/other.js "not asked"
      """
    When I run "mycelium run"
    Then the exit code is 1
    And task "002" is "needs_human_review"
    And task "001" is "validated"
    And task "001" keeps its commit
    And the integration branch has not moved
    And the log has no "landing.intent" event

  @control
  Scenario: Work within the manifest lands
    Given the configuration:
      """
      manifest_enforcement: block
      """
    When I run "mycelium run"
    Then the exit code is 0
    And task "001" is "landed"
    And the integration branch has moved
    And the integration branch holds the file "src/greeting.js"
    And the log has no "manifest.block" event

  @control
  Scenario: In mode "off" the undeclared change lands and is on record
    Given the configuration:
      """
      manifest_enforcement: "off"
      """
    And the agent runs:
      """
      write src/greeting.js "a greeting"
      write src/other.js "not asked"
      """
    When I run "mycelium run"
    Then the exit code is 0
    And task "001" is "landed"
    And the integration branch has moved
    And the integration branch holds the file "src/other.js"
    And the run file "tasks/001/attempt-1/compliance.json" contains "src/other.js"
    And the log has no "manifest.block" event
