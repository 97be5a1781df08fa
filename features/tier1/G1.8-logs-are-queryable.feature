@G1.8 @tier1 @mock
Feature: G1.8 Logs are queryable
  Everything that a run has written can be asked for, also while it is written and where its end is torn. Readers read
  what writers write, say each failure once and why, and print nothing that a terminal obeys.

  Background:
    Given the repository "toy-repo"
    And the plan:
      | id  | name           | writes          | dependencies |
      | 001 | write-greeting | src/greeting.js |              |
      | 002 | write-thanks   | src/thanks.js   | 001          |
    And the configuration:
      """
      max_retries: 1
      """

  @docker
  Scenario: Whatever a run writes is read, in its order, and the answer keeps to its schema
    Given the agent of task "001" runs:
      """
      append src/greeting.js "a greeting"
      usage 10 2
      """
    And the agent of task "002" runs:
      """
      if once second; then append src/thanks.js "BROKEN"; exit 0; fi
      append src/thanks.js "a thanks"
      """
    When I run "mycelium run --run-id first"
    And I run "mycelium logs query --run-id first --json"
    Then the exit code is 0
    And standard output is valid by the schema "logs"
    And standard output lists every event of the log
    And the last command has changed no file of a run
    When I run "mycelium logs timeline --run-id first --json"
    Then the exit code is 0
    And standard output is valid by the schema "logs-timeline"
    When I run "mycelium logs failures --run-id first --json"
    Then the exit code is 0
    And standard output is valid by the schema "logs-failures"

  # Not in containers: there are more events to be listed, those of the containers.
  Scenario: Each filter keeps what it says and nothing else
    Given the agent runs:
      """
      append "src/$(test "$MYCELIUM_TASK_ID" = 001 && echo greeting || echo thanks).js" "a line"
      """
    When I run "mycelium run --run-id first"
    And I run "mycelium logs query --run-id first --task 001 --json"
    Then standard output is valid by the schema "logs"
    And standard output lists 11 events
    When I run "mycelium logs query --run-id first --type task.start --json"
    Then standard output lists 2 events
    And standard output lists no event whose type is not "task.start"
    When I run "mycelium logs query --run-id first --type 'landing.*' --json"
    Then standard output lists 6 events
    When I run "mycelium logs query --run-id first --type task.start --task 002 --json"
    Then standard output lists 1 event
    And standard output lists no event whose task_id is not "002"
    When I run "mycelium logs query --run-id first --grep 'src/thanks' --json"
    Then standard output lists 1 event
    And standard output lists no event whose type is not "task.validated"
    When I run "mycelium logs query --run-id first --limit 1 --json"
    Then standard output lists 1 event
    And standard output lists no event whose type is not "run.complete"
    When I run "mycelium logs query --run-id first --since 2026-01-02T03:04:05Z --json"
    Then standard output lists every event of the log
    When I run "mycelium logs query --run-id first --since 2030-01-01T00:00:00Z --json"
    Then standard output lists 0 events
    And the last command has changed no file of a run

  @docker
  Scenario Outline: A wrong question is told as such: <question>
    Given the agent runs:
      """
      append src/greeting.js "a greeting"
      append src/thanks.js "a thanks"
      """
    When I run "mycelium run --run-id first"
    And I run "mycelium logs <question>"
    Then the exit code is 2
    And standard error says "<word>"
    And nothing is printed on standard output

    Examples:
      | question                   | word       |
      | query --grep '('           | --grep     |
      | query --since yesterday    | --since    |
      | query --limit 0            | --limit    |
      | query --run-id nobody      | nobody     |
      | query --task ../../x       | --task     |
      | timeline --type task.start | timeline   |
      | everything                 | everything |

  @docker
  Scenario: A failure is said once, with its code, why, what followed and the file that shows it
    Given the configuration:
      """
      max_retries: 0
      """
    And the agent runs:
      """
      echo "I cannot do this" >&2
      exit 7
      """
    When I run "mycelium run --run-id first"
    Then the exit code is 1
    When I run "mycelium logs failures --run-id first"
    Then the exit code is 0
    And standard output says "the agent exited with 7" once
    And standard output says "the task failed"
    And standard output says "tasks/001/attempt-1/agent.log" once
    And standard output does not say "nothing went wrong"

  @docker
  Scenario: What the doctor refused is said with its code
    Given the agent runs:
      """
      append "src/$(test "$MYCELIUM_TASK_ID" = 001 && echo greeting || echo thanks).js" "a line"
      """
    And the configuration:
      """
      max_retries: 0
      """
    And the doctor runs:
      """
      exit 9
      """
    When I run "mycelium run --run-id first"
    Then the exit code is 1
    When I run "mycelium logs failures --run-id first"
    Then standard output says "the doctor exited with 9" once
    And standard output says "landing/1/doctor.log" once
    And the integration branch has not moved

  @docker
  Scenario: The timeline says how each attempt and landing went
    Given the agent of task "001" runs:
      """
      if once first; then exit 3; fi
      append src/greeting.js "a greeting"
      """
    And the agent of task "002" runs:
      """
      append src/thanks.js "a thanks"
      """
    When I run "mycelium run --run-id first"
    And I run "mycelium logs timeline --run-id first"
    Then the exit code is 0
    And standard output says "run first: complete"
    And standard output says "attempt 2"
    And standard output says "landing 2"
    And standard output does not say "?"
    When I run "mycelium logs timeline --run-id first --json"
    Then standard output lists 5 events
    When I run "mycelium logs timeline --run-id first --task 002 --json"
    Then standard output lists 2 events

  @docker
  Scenario: Following shows events as they come and ends when the run does
    Given the agent of task "001" runs:
      """
      signal at-work
      await may-go-on
      append src/greeting.js "a greeting"
      """
    And the agent of task "002" runs:
      """
      append src/thanks.js "a thanks"
      """
    When I start "mycelium run --run-id first"
    And a script signals "at-work"
    And I watch with "mycelium logs follow --run-id first"
    And the watching command has printed "task.start"
    And a script that awaits "may-go-on" goes on
    And the watching command has printed "landing.done"
    And the started command has ended
    Then the exit code is 0
    And the log has 2 "landing.done" events
    When the watching command has ended
    Then the exit code is 0
    And standard output says "run.complete" once
    And standard error says "does not work any more"
    And no ref was added
    And no process is left

  @docker
  Scenario: Following a run that is killed ends too
    Given the agent runs:
      """
      signal at-work
      await never
      """
    When I start "mycelium run --run-id first"
    And a script signals "at-work"
    And I watch with "mycelium logs follow --run-id first --json"
    And the watching command has printed "task.start"
    And the started command is killed
    And the watching command has ended
    Then the exit code is 0
    And standard output is valid by the schema "logs"
    And standard output lists no event whose run_id is not "first"

  @docker
  Scenario: Over a torn end everything whole is read, and what is not is counted
    Given the agent runs:
      """
      signal at-work
      await never
      """
    When I start "mycelium run --run-id first"
    And a script signals "at-work"
    And the started command is killed
    And a line of the journal was only half written
    And I run "mycelium logs query --run-id first --type task.start --json"
    Then the exit code is 0
    And standard output lists 1 event
    And standard error says "skipped: 1"
    And the last command has changed no file of a run

  @docker
  Scenario: What an agent prints reaches no terminal raw
    Given the agent of task "001" runs:
      """
      printf '{"type":"note","text":"\\u001b[31mred\\u001b]0;title\\u0007 \\u009b2J end"}\n'
      printf '\033[2J\033]0;title\007 raw and \000 NUL\n'
      append src/greeting.js "a greeting"
      """
    And the agent of task "002" runs:
      """
      printf '\033[31mfailing\033[0m\n' >&2
      exit 5
      """
    When I run "mycelium run --run-id first"
    And I run "mycelium logs query --run-id first"
    Then the exit code is 0
    And standard output says "red"
    When I run "mycelium logs failures --run-id first"
    And I run "mycelium status --run-id first"
    Then no command prints a control character

  @control @docker
  Scenario: Where nothing went wrong, no failure is told
    Given the agent runs:
      """
      append "src/$(test "$MYCELIUM_TASK_ID" = 001 && echo greeting || echo thanks).js" "a line"
      """
    When I run "mycelium run --run-id first"
    And I run "mycelium logs failures --run-id first"
    Then the exit code is 0
    And standard output says "nothing went wrong"
    And standard output does not say "exited with"
    And the integration branch has moved
