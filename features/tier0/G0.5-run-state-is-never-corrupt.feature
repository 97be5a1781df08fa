@G0.5 @tier0 @mock
Feature: G0.5 Run state is never corrupt
  Wherever the program is killed and whatever becomes of a run's files, the state is either what the journal says or
  refused by name. Nothing is guessed, nothing that could be evidence is overwritten, and other runs go on.

  Background:
    Given the repository "toy-repo"
    And the plan:
      | id  | name           | writes          | dependencies |
      | 001 | write-greeting | src/greeting.js |              |
      | 002 | write-thanks   | src/thanks.js   | 001          |
    And the configuration:
      """
      max_retries: 0
      """
    And the agent of task "001" runs:
      """
      append src/greeting.js "a greeting"
      """
    And the agent of task "002" runs:
      """
      if once second; then signal at-work; await never; fi
      append src/thanks.js "a thanks"
      """

  # Not in containers: there an agent goes on alone when the program is killed (G2.5).
  Scenario: Killed while an agent works, the state is told, looked at without a change, and gone on with
    When I start "mycelium run --run-id first"
    And a script signals "at-work"
    And the started command is killed
    And I run "mycelium status --run-id first"
    Then the exit code is 0
    And standard output says "interrupted"
    And the last command has changed no file of a run
    And the last command has changed no ref
    When I run "mycelium logs failures --run-id first"
    Then the exit code is 0
    And the last command has changed no file of a run
    When I run "mycelium resume --run-id first"
    Then the exit code is 0
    And the run status is "complete"
    And the state is what the journal says
    And task "001" has not made more than 1 attempt
    And the log has 2 "landing.done" events
    And no process is left

  @docker
  Scenario: Killed while the doctor runs, the state is told and gone on with
    Given the doctor runs:
      """
      if once doctor; then signal in-doctor; await never; fi
      """
    And the agent of task "002" runs:
      """
      append src/thanks.js "a thanks"
      """
    When I start "mycelium run --run-id first"
    And a script signals "in-doctor"
    And the started command is killed
    And I run "mycelium status --run-id first"
    Then the exit code is 0
    And the last command has changed no file of a run
    When I run "mycelium resume --run-id first"
    Then the exit code is 0
    And the state is what the journal says
    And task "001" has not made more than 1 attempt
    And the log has 2 "landing.done" events
    And no process is left

  @docker
  Scenario Outline: Killed right after <event> was written, before any state was, the state is made from the journal
    When I start "mycelium run --run-id first"
    And a script signals "at-work"
    And the started command is killed
    And the program is as if killed right after the first "<event>" event
    And I run "mycelium status --run-id first"
    Then the exit code is 0
    And standard output says "interrupted"
    And the last command has changed no file of a run
    And the last command has changed no ref
    When I run "mycelium resume --run-id first"
    Then the exit code is 0
    And the run status is "complete"
    And the state is what the journal says
    And the log has 2 "landing.done" events
    And the log has no "task.fail" event
    And no process is left

    Examples:
      | event               |
      | run.start           |
      | batch.start         |
      | task.start          |
      | worker.exit         |
      | task.validated      |
      | landing.doctor_pass |
      | landing.intent      |
      | landing.done        |
      | task.landed         |
      | batch.complete      |

  # Not in containers: there an agent goes on alone when the program is killed (G2.5).
  Scenario Outline: A state that is <damage> is made anew from the journal
    When I start "mycelium run --run-id first"
    And a script signals "at-work"
    And the started command is killed
    And the run file "state.json" is now <damage>
    And I run "mycelium status --run-id first"
    Then the exit code is 0
    And standard output says "interrupted"
    And the last command has changed no file of a run
    And the last command has changed no ref
    When I run "mycelium resume --run-id first"
    Then the exit code is 0
    And the run status is "complete"
    And the state is what the journal says
    And task "001" has not made more than 1 attempt
    And the log has 2 "landing.done" events

    Examples:
      | damage    |
      | empty     |
      | garbage   |
      | an array  |
      | NUL bytes |
      | a pipe    |
      | missing   |

  @docker
  Scenario: A folder in the place of the state stops the run by name, and the run goes on once it is gone
    When I start "mycelium run --run-id first"
    And a script signals "at-work"
    And the started command is killed
    And the run file "state.json" is now a folder
    And I run "mycelium resume --run-id first"
    Then the exit code is 4
    And standard error says "state.json"
    And the last command has changed no ref
    When the run file "state.json" is now missing
    And I run "mycelium resume --run-id first"
    Then the exit code is 0
    And the run status is "complete"
    And the state is what the journal says
    And the log has 2 "landing.done" events

  @docker
  Scenario: A state of a newer format is read, said, and never overwritten
    When I start "mycelium run --run-id first"
    And a script signals "at-work"
    And the started command is killed
    And the run file "state.json" is now of a newer format
    And I run "mycelium status --run-id first"
    Then the exit code is 0
    And standard error says "newer"
    And the last command has changed no file of a run
    When I run "mycelium resume --run-id first"
    Then the exit code is 2
    And standard error says "state.json"
    And standard error says "format version 999"
    And the last command has changed no file of a run
    And the last command has changed no ref

  # Not in containers: there an agent goes on alone when the program is killed (G2.5).
  Scenario Outline: A journal whose end is <ragged> is cut back to its last whole line, and that is said
    When I start "mycelium run --run-id first"
    And a script signals "at-work"
    And the started command is killed
    And the run file "orchestrator.jsonl" ends in <ragged>
    And I run "mycelium status --run-id first"
    Then the exit code is 0
    And the last command has changed no file of a run
    When I run "mycelium logs --run-id first"
    Then the exit code is 0
    And standard error says "skipped: 1"
    And the last command has changed no file of a run
    When I run "mycelium resume --run-id first"
    Then the exit code is 0
    And the run status is "complete"
    And the log has 1 "journal.truncated" event
    And the state is what the journal says
    And the log has 2 "landing.done" events
    And task "001" has not made more than 1 attempt

    Examples:
      | ragged           |
      | NUL bytes        |
      | half a character |
      | garbage          |

  @docker
  Scenario Outline: A journal that is <damage> is refused by name, and nothing is touched
    When I start "mycelium run --run-id first"
    And a script signals "at-work"
    And the started command is killed
    And the run file "orchestrator.jsonl" is now <damage>
    And I run "mycelium status --run-id first"
    Then the exit code is 4
    And standard error says "orchestrator.jsonl"
    And the last command has changed no file of a run
    When I run "mycelium resume --run-id first"
    Then the exit code is 4
    And standard error says "orchestrator.jsonl"
    And the last command has changed no file of a run
    And the last command has changed no ref

    Examples:
      | damage    |
      | empty     |
      | garbage   |
      | an array  |
      | NUL bytes |
      | a folder  |
      | a pipe    |
      | missing   |

  @docker
  Scenario: A journal of a newer format can be looked at and not gone on with
    When I start "mycelium run --run-id first"
    And a script signals "at-work"
    And the started command is killed
    And the run file "orchestrator.jsonl" is now of a newer format
    And I run "mycelium status --run-id first"
    Then the exit code is 0
    And the last command has changed no file of a run
    When I run "mycelium resume --run-id first"
    Then the exit code is 2
    And standard error says "orchestrator.jsonl"
    And standard error says "format version 999"
    And the last command has changed no file of a run
    And the last command has changed no ref

  @docker
  Scenario: A hole in the middle of the journal is damage that nobody papers over
    When I start "mycelium run --run-id first"
    And a script signals "at-work"
    And the started command is killed
    And a line in the middle of the journal is garbage
    And I run "mycelium resume --run-id first"
    Then the exit code is 4
    And standard error says "orchestrator.jsonl"
    And standard error says "damaged"
    And the last command has changed no file of a run
    And the last command has changed no ref

  @docker
  Scenario Outline: A frozen <file> that is <damage> is refused by name
    When I start "mycelium run --run-id first"
    And a script signals "at-work"
    And the started command is killed
    And the run file "<file>" is now <damage>
    And I run "mycelium resume --run-id first"
    Then the exit code is 4
    And standard error says "<file>"
    And the last command has changed no file of a run
    And the last command has changed no ref

    Examples:
      | file                 | damage   |
      | plan.snapshot.json   | garbage  |
      | plan.snapshot.json   | a pipe   |
      | config.snapshot.yaml | an array |
      | doctor               | empty    |

  @docker
  Scenario Outline: A run whose journal is <damage> does not stand in the way of the others
    When I start "mycelium run --run-id first"
    And a script signals "at-work"
    And the started command is killed
    And the run file "orchestrator.jsonl" is now <damage>
    And the run file "state.json" is now <damage>
    And I run "mycelium run --run-id second"
    Then the exit code is 0
    And the run status is "complete"
    And the state is what the journal says
    When I run "mycelium status"
    Then the exit code is 0
    And standard output says "run second"
    And standard error says "run first is left out"
    And the last command has changed no file of a run
    When I run "mycelium resume"
    Then the exit code is 0
    And the last command has changed no ref

    Examples:
      | damage   |
      | garbage  |
      | a pipe   |
      | a folder |

  @control @docker
  Scenario: Nothing is damaged, and the same work lands in one go
    Given the agent of task "002" runs:
      """
      append src/thanks.js "a thanks"
      """
    When I run "mycelium run --run-id first"
    Then the exit code is 0
    And the state is what the journal says
    And the integration branch has moved
    And the log has no "journal.truncated" event
    And the log has no "run.resume" event
