@G1.6 @tier1 @mock @docker
Feature: G1.6 Status reflects reality
  What status says is so, also while the program works, after it was killed and where its state is damaged. Looking
  changes nothing.

  Background:
    Given the repository "toy-repo"
    And the plan:
      | id  | name           | writes          |
      | 001 | write-greeting | src/greeting.js |

  Scenario: A run whose agent works is running; killed, it is interrupted, and looking writes nothing
    Given the agent runs:
      """
      signal at-work
      await never
      """
    When I start "mycelium run --run-id first"
    And a script signals "at-work"
    And I run "mycelium status --run-id first"
    Then the exit code is 0
    And standard output says "running"
    And standard output does not say "interrupted"
    When the started command is killed
    And I run "mycelium status --run-id first"
    Then the exit code is 0
    And standard output says "interrupted"
    And standard output does not say ": running"
    And the last command has changed no file of a run
    And the last command has changed no ref

  Scenario: While the doctor runs the work has passed its gates and not landed
    Given the doctor runs:
      """
      if once doctor; then signal in-doctor; await may-go-on; fi
      """
    When I start "mycelium run --run-id first"
    And a script signals "in-doctor"
    And I run "mycelium status --run-id first"
    Then standard output says "validated"
    And standard output does not say "landed"
    When a script that awaits "may-go-on" goes on
    And the started command has ended
    And I run "mycelium status --run-id first"
    Then standard output says "complete"
    And standard output says "landed"
    And standard output does not say "validated"

  Scenario: A damaged state is read from the journal, and nothing is written
    When I run "mycelium run --run-id first"
    And the run file "state.json" is damaged
    And I run "mycelium status --run-id first"
    Then the exit code is 0
    And standard output says "complete"
    And standard output says "landed"
    And the last command has changed no file of a run
    And the last command has changed no ref

  Scenario: A damaged state of one run does not stand in the way of the next
    When I run "mycelium run --run-id first"
    And the run file "state.json" is damaged
    And I run "mycelium run --run-id second --tasks 001"
    Then the exit code is 0
    When I run "mycelium status --run-id second"
    Then the exit code is 0
    And standard output says "complete"
    And standard output does not say "interrupted"
    And the last command has changed no ref
