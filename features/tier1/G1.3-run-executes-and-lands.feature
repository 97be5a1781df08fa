@G1.3 @tier1 @mock @docker
Feature: G1.3 A run executes, lands in batches and marks its state
  A run takes the planned tasks in batches, lands each batch through the doctor, and its state says what happened. A
  request that makes no sense is refused before any work.

  Rule: Planned tasks run and land

    Background:
      Given the repository "toy-repo"
      And the plan:
        | id  | name           | writes          | dependencies |
        | 001 | write-greeting | src/greeting.js |              |
        | 002 | write-farewell | src/farewell.js |              |
        | 003 | write-thanks   | src/thanks.js   | 001, 002     |

    Scenario: Tasks land batch by batch
      Given the doctor runs:
        """
        see_tree
        """
      When I run "mycelium run"
      Then the exit code is 0
      And the run status is "complete"
      And the batches are:
        | batch | tasks    |
        | 1     | 001, 002 |
        | 2     | 003      |
      And task "001" is "landed"
      And task "002" is "landed"
      And task "003" is "landed"
      And the log has these events in order:
        | event          | task |
        | run.start      |      |
        | batch.start    |      |
        | landing.done   |      |
        | task.landed    | 001  |
        | task.landed    | 002  |
        | batch.complete |      |
        | batch.start    |      |
        | task.start     | 003  |
        | landing.done   |      |
        | task.landed    | 003  |
        | batch.complete |      |
        | run.complete   |      |
      And the integration branch holds the file "src/greeting.js"
      And the integration branch holds the file "src/farewell.js"
      And the file "src/thanks.js" on the integration branch contains "003"
      And there is no stop reason
      And no untested commit is on the integration branch
      And the integration branch has lost no commit
      And the log has no "run.stop" event

    Scenario: Never more tasks at once than asked for
      When I run "mycelium run --max-parallel 1"
      Then the exit code is 0
      And the batches are:
        | batch | tasks |
        | 1     | 001   |
        | 2     | 002   |
        | 3     | 003   |
      And tasks "001" and "002" never run at the same time

    Scenario Outline: The same run gives the same commits and the same state in another place, with <number> at once
      Given a second place like this one
      When I run "mycelium run --run-id same --project same --max-parallel <number>" in both places
      Then the exit code is 0
      And task "003" is "landed"
      And the integration branch is the same in both places
      And the state is the same in both places
      And the log has no "run.stop" event

      Examples:
        | number |
        | 1      |
        | 4      |

    Scenario: One task at a time, the same run gives the same log in another place
      Given a second place like this one
      When I run "mycelium run --run-id same --project same --max-parallel 1" in both places
      Then the exit code is 0
      And the log is the same in both places
      And the log has no "run.stop" event

    Scenario: Only the tasks asked for run
      When I run "mycelium run --tasks 002"
      Then the exit code is 0
      And task "002" is "landed"
      And the integration branch holds the file "src/farewell.js"
      And the integration branch does not hold the file "src/greeting.js"
      And the log has no "task.start" event for task "001"

    Scenario: The status of a run is what its state says
      When I run "mycelium run --run-id first"
      And I run "mycelium status --run-id first"
      Then the exit code is 0
      And standard output says "first"
      And standard output says "complete"
      And standard output says "003"
      And standard error does not say "error"

    Scenario: A dry run shows the batches and runs nothing
      When I run "mycelium run --dry-run"
      Then the exit code is 0
      And standard output says "003"
      And no run was created
      And the integration branch has not moved

    Scenario: A task whose agent fails is retried within bounds and does not land
      Given the configuration:
        """
        max_retries: 1
        """
      And the agent runs:
        """
        case "$MYCELIUM_TASK_ID" in
          001) write src/greeting.js "a greeting" ;;
          002) write src/farewell.js "half a farewell"; exit 5 ;;
        esac
        """
      When I run "mycelium run"
      Then the exit code is 1
      And the run status is "failed"
      And the stop reason is "task_failed"
      And task "001" is "landed"
      And task "002" is "failed"
      And task "002" has made 2 attempts
      And task "003" is not "landed"
      And the log has no "task.start" event for task "003"
      And the integration branch does not hold the file "src/farewell.js"
      And task "002" has not made more than 2 attempts

    Scenario: A task whose own check fails does not land
      Given the plan:
        | id  | name           | writes          | verify                                       |
        | 001 | write-greeting | src/greeting.js | echo looking for a test; test -f src/no-test |
      And the configuration:
        """
        max_retries: 0
        """
      When I run "mycelium run"
      Then the exit code is 1
      And task "001" is "failed"
      And the run file "tasks/001/attempt-1/verify.log" contains "looking for a test"
      And the integration branch has not moved
      And the log has no "landing.intent" event

    Scenario Outline: A number of parallel tasks that is none is refused: <number>
      When I run "mycelium run --max-parallel <number>"
      Then the exit code is 2
      And standard error says "--max-parallel"
      And standard error says "<number>"
      And nothing is printed on standard output
      And no run was created
      And the integration branch has not moved

      Examples:
        | number |
        | abc    |
        | 0      |
        | -1     |
        | 1.5    |

    Scenario: A missing doctor is refused
      Given the file "scripts/doctor.sh" is missing
      When I run "mycelium run"
      Then the exit code is 2
      And standard error says "scripts/doctor.sh"
      And standard error says ".mycelium/config.yaml:"
      And no run was created
      And the integration branch has not moved

    Scenario: A wrong configuration is refused with all its problems and their places
      Given the configuration file:
        """
        integration_branch: main
        doctor: scripts/doctor.sh
        max_paralel: 3
        max_retries: many
        """
      When I run "mycelium run"
      Then the exit code is 2
      And standard error says ".mycelium/config.yaml:3:1"
      And standard error says "max_parallel"
      And standard error says ".mycelium/config.yaml:4:14"
      And no run was created
      And the integration branch has not moved

    Scenario: An unknown task is refused
      When I run "mycelium run --tasks 001,999"
      Then the exit code is 2
      And standard error says "999"
      And no run was created
      And the integration branch has not moved

    Scenario: The id of a run is taken once
      When I run "mycelium run --run-id once"
      And I run "mycelium run --run-id once"
      Then the exit code is 2
      And standard error says "once"
      And the log has 1 "run.start" event
      And the integration branch has lost no commit

    Scenario: The link of a submodule stays as it is
      Given the repository has a submodule at "vendor/library"
      When I run "mycelium run"
      Then the exit code is 0
      And task "001" is "landed"
      And the integration branch has moved
      And the path "vendor/library" on the integration branch has not changed
      And the path ".gitmodules" on the integration branch has not changed
      And the checkout has no uncommitted change
      And git finds nothing wrong in the repository

  Rule: A place where nothing can land is refused

    Scenario: A folder that is not a git repository
      Given a folder that is not a git repository
      When I run "mycelium run"
      Then the exit code is 2
      And standard error says "not inside a git repository"
      And no run was created

    Scenario: A repository whose branch is unborn
      Given a repository without a commit
      When I run "mycelium run"
      Then the exit code is 2
      And standard error says "main"
      And no run was created
      And there is no branch "main"

    Scenario: A repository where nothing is planned
      Given the repository "toy-repo"
      When I run "mycelium run"
      Then the exit code is 2
      And standard error says "mycelium plan"
      And no run was created
      And the integration branch has not moved
