@G2.16 @tier2 @docker
Feature: G2.16 No escape from a container into the host's git or shell
  Whatever an agent plants in the workspace that it shares with the host – hooks, a file system monitor, filters, drivers
  and helpers – nothing of it runs outside of the container.

  Background:
    Given the repository "toy-repo"
    And the plan:
      | id  | name           | writes          |
      | 001 | write-greeting | src/greeting.js |
    And the configuration:
      """
      max_retries: 0
      cleanup: {workspaces: never}
      """

  Scenario: Hooks, monitor, filters, drivers and helpers do not run on the host
    Given the agent runs:
      """
      plant_in_git
      append src/greeting.js "a greeting"
      """
    When I run "mycelium run --run-id first"
    And I run "mycelium status --run-id first"
    And I run "mycelium doctor"
    Then task "001" is "landed"
    And the integration branch holds the file "src/greeting.js"
    And nothing that was planted has run
    When I run "mycelium clean --all --force"
    Then nothing that was planted has run
    And no container is left

  Scenario: Attributes and configuration that land as files make nothing run either
    Given the configuration:
      """
      manifest_enforcement: "off"
      """
    And the agent runs:
      """
      plant_in_git
      echo '* filter=planted diff=planted merge=planted' >.gitattributes
      append src/greeting.js "a greeting"
      """
    When I run "mycelium run --run-id first"
    Then the exit code is 0
    And the integration branch holds the file ".gitattributes"
    And nothing that was planted has run
    And the checkout has no uncommitted change

  @control
  Scenario: What was planted is alive, where a git trusts the workspace
    Given the agent runs:
      """
      plant_in_git
      append src/greeting.js "a greeting"
      """
    When I run "mycelium run --run-id first"
    And a git that trusts it looks at the workspace of task "001"
    Then "fsmonitor" is among what was planted and has run
    And the integration branch holds the file "src/greeting.js"
    And no container is left
