@G1.9 @tier1 @mock
Feature: G1.9 Clean leaves nothing and removes nothing else
  What a dry run lists is what a clean removes: all that runs have left, and not one file, link or ref of anybody else.
  While a run works nothing is removed, and work that somebody may still want stays until that is asked for.

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
    And the agent runs:
      """
      append src/greeting.js "a greeting"
      """

  @docker
  Scenario: Objects and workspaces of a finished run go, its logs and its work stay
    Given the user has the untracked file "notes.txt"
    When I run "mycelium run --run-id first"
    And a foreign file "notes.txt" lies in the project's home
    And a foreign file "runs/notes.txt" lies in the project's home
    And a foreign file "workspaces/notes/mine.txt" lies in the project's home
    And I run "mycelium clean --dry-run --json"
    Then the exit code is 0
    And standard output is valid by the schema "clean"
    And the last command has removed nothing
    And the last command has changed no ref
    When I run "mycelium clean --json"
    Then the exit code is 0
    And standard output is valid by the schema "clean"
    And the dry run listed exactly what was removed
    And nothing but what the command lists is gone
    And the foreign file "notes.txt" is still there
    And the foreign file "runs/notes.txt" is still there
    And the last command has changed no ref
    And no ref was added
    And the integration branch has moved
    And the integration branch has lost no commit
    And the file "src/greeting.js" on the integration branch contains "a greeting"
    And the checkout holds the file "notes.txt"
    And the run folder holds the file "orchestrator.jsonl"
    When I run "mycelium logs failures --run-id first"
    Then the exit code is 0

  @docker
  Scenario: With --all nothing of any run is left
    When I run "mycelium run --run-id first"
    And I run "mycelium run --run-id second --tasks 001"
    And I run "mycelium clean --all --dry-run --json"
    And I run "mycelium clean --all --json"
    Then the exit code is 0
    And the dry run listed exactly what was removed
    And nothing but what the command lists is gone
    And no workspace, object or lock is left
    And no ref was added
    And the last command has changed no ref
    And the integration branch has lost no commit
    When I run "mycelium status"
    Then standard output says "no runs yet"
    When I run "mycelium clean --all"
    Then the exit code is 0
    And standard error says "nothing to remove"

  @docker
  Scenario: What killed processes left goes too
    When I run "mycelium run --run-id first"
    And a foreign file "runs/first/.tmp-state.json" lies in the project's home
    And a foreign file "runs/.removing-gone/state.json" lies in the project's home
    And I run "mycelium clean --dry-run --json"
    And I run "mycelium clean --json"
    Then the exit code is 0
    And the dry run listed exactly what was removed
    And nothing but what the command lists is gone
    And no workspace, object or lock is left

  @docker
  Scenario: A link that an agent has planted is not followed
    Given the user has the untracked file "notes.txt"
    And the agent runs:
      """
      append src/greeting.js "a greeting"
      ln -s "$fixture_repository" out
      mkdir -p deep/deeper
      ln -s "$fixture_repository/src" deep/deeper/out
      chmod 555 deep/deeper
      exit 1
      """
    When I run "mycelium run --run-id first"
    And a link "workspaces/first/001/second-out" in the project's home leads to the checkout
    And I run "mycelium clean --all --json"
    Then the exit code is 0
    And nothing but what the command lists is gone
    And no workspace, object or lock is left
    And the user's checkout has not changed
    And the checkout holds the file "notes.txt"
    And nothing outside the repository has changed

  @docker
  Scenario: A link in the place of the workspaces stops everything
    Given the user has the untracked file "notes.txt"
    And the configuration:
      """
      cleanup: {workspaces: always}
      """
    When I run "mycelium run --run-id first"
    And the project's home has no folder "workspaces"
    And a link "workspaces" in the project's home leads to the checkout
    And I run "mycelium clean --all --json"
    Then the exit code is 2
    And standard error says "not a folder but a link"
    And the last command has removed nothing
    And the checkout holds the file "notes.txt"

  @docker
  Scenario: While a run works, nothing is removed
    Given the agent runs:
      """
      if ! once earlier; then
        signal at-work
        await may-go-on
      fi
      append src/greeting.js "a greeting"
      """
    When I run "mycelium run --run-id earlier"
    Then the exit code is 0
    When I start "mycelium run --run-id first --tasks 001"
    And a script signals "at-work"
    And I run "mycelium clean --all --force --json"
    Then the exit code is 2
    And standard error names process, host and start of the started command
    And the run folder holds the file "state.json"
    When I run "mycelium clean --all --force --dry-run"
    Then the exit code is 2
    When a script that awaits "may-go-on" goes on
    And the started command has ended
    Then the exit code is 0
    And task "001" is "landed"
    And the run folder holds the file "state.json"
    And the log has no "task.fail" event

  # Not in containers: there an agent goes on alone when the program is killed (G2.7).
  Scenario Outline: Work that somebody may still want stays until it is asked for: <why>
    Given the agent runs:
      """
      <deed>
      """
    When I start "mycelium run --run-id first"
    And a script signals "at-work"
    And the started command is killed
    And I run "mycelium clean <what>"
    Then the exit code is <code>
    And standard error says "<said>"
    And the last command has removed nothing
    When I run "mycelium clean <what> --force --json"
    Then the exit code is 0
    And nothing but what the command lists is gone
    And no ref was added
    And the integration branch has not moved

    Examples:
      | why           | deed                        | what           | code | said        |
      | all runs      | signal at-work; await never | --all          | 0    | interrupted |
      | this very run | signal at-work; await never | --run-id first | 2    | interrupted |

  @docker
  Scenario: One run is removed and the other one is not touched
    When I run "mycelium run --run-id first"
    And I run "mycelium run --run-id second --tasks 001"
    And I run "mycelium clean --run-id first --json"
    Then the exit code is 0
    And nothing but what the command lists is gone
    And the run folder holds the file "orchestrator.jsonl"
    When I run "mycelium status --run-id second"
    Then the exit code is 0
    When I run "mycelium status --run-id first"
    Then the exit code is 2

  @control @docker
  Scenario: Without a clean everything is still there
    When I run "mycelium run --run-id first"
    And I run "mycelium clean --dry-run --json"
    Then the exit code is 0
    And the last command has removed nothing
    And the run folder holds the file "orchestrator.jsonl"
    And the integration branch has moved
    And the file "src/greeting.js" on the integration branch contains "a greeting"
