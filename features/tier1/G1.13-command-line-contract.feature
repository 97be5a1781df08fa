@G1.13 @tier1 @mock
Feature: G1.13 Command line contract and exit codes, also of an installed copy
  The exit code says how it went, data stands on standard output and all else on standard error, and a wrong request is
  never silent. A copy of the program works alone: in another folder, without any environment.

  Rule: The exit code says how it went

    Background:
      Given the repository "toy-repo"
      And the plan:
        | id  | name           | writes          |
        | 001 | write-greeting | src/greeting.js |

    @docker
    Scenario: Everything landed: 0
      When I run "mycelium run"
      Then the exit code is 0
      And the run status is "complete"
      And there is no stop reason

    @docker
    Scenario: A task failed: 1
      Given the configuration:
        """
        max_retries: 0
        """
      And the agent runs:
        """
        exit 3
        """
      When I run "mycelium run"
      Then the exit code is 1
      And the run status is "failed"
      And the integration branch has not moved

    @docker
    Scenario: A human is wanted: 3
      Given the user has the untracked file "src/greeting.js"
      When I run "mycelium run"
      Then the exit code is 3
      And the run status is "needs_human_review"
      And the integration branch has not moved

    @docker
    Scenario: The environment fails: 4
      Given the environment variable MYCELIUM_HOME is "/dev/null/home"
      When I run "mycelium run"
      Then the exit code is 4
      And standard error says "/dev/null/home"
      And standard error says "help:"
      And nothing is printed on standard output
      And the integration branch has not moved

    @docker
    Scenario Outline: A wrong request says what is wrong and ends with 2: <line>
      When I run "<line>"
      Then the exit code is 2
      And standard error says "error: "
      And standard error says "<says>"
      And nothing is printed on standard output
      And no run was created
      And the task files have not changed
      And the integration branch has not moved

      Examples:
        | line                               | says           |
        | mycelium                           | --help         |
        | mycelium frobnicate                | frobnicate     |
        | mycelium run --bogus               | --bogus        |
        | mycelium run extra                 | extra          |
        | mycelium run --max-parallel abc    | abc            |
        | mycelium run --max-parallel        | --max-parallel |
        | mycelium run --tasks 999           | 999            |
        | mycelium run --world mars          | mars           |
        | mycelium plan                      | --input        |
        | mycelium plan --input missing.md   | missing.md     |
        | mycelium status --run-id unknown   | unknown        |
        | mycelium resume --run-id unknown   | unknown        |
        | mycelium schema unknown            | unknown        |
        | mycelium completions unknown       | unknown        |
        | mycelium --config missing.yaml run | missing.yaml   |
        | mycelium -q -v status              | --verbose      |

    @docker
    Scenario Outline: A wrong request in JSON is one document with the same exit code: <line>
      When I run "<line>"
      Then the exit code is 2
      And standard output is one JSON document
      And standard output says "<says>"
      And no run was created

      Examples:
        | line                                    | says       |
        | mycelium --json                         | error      |
        | mycelium --json frobnicate              | frobnicate |
        | mycelium run --json --bogus             | --bogus    |
        | mycelium status --json --run-id unknown | unknown    |

    @docker
    Scenario: Before the first run there is nothing to show, and that is no error
      When I run "mycelium status"
      Then the exit code is 0
      And standard error does not say "error"
      And no run was created

    @docker
    Scenario Outline: Data is one JSON document on standard output and nothing else there: <line>
      When I run "mycelium run --run-id first"
      And I run "<line>"
      Then the exit code is 0
      And standard output is one JSON document
      And standard error does not say "error"

      Examples:
        | line                                           |
        | mycelium --json init                           |
        | mycelium --json plan --input .mycelium/plan.md |
        | mycelium --json run --run-id second            |
        | mycelium --json run --dry-run                  |
        | mycelium --json status --run-id first          |
        | mycelium --json schema                         |
        | mycelium --json schema event                   |
        | mycelium --json --version                      |

    @docker
    Scenario: A dry run has no side effect at all
      Given the user has checked out the branch "feature"
      And the user has staged a change of the file "src/index.js"
      When I run "mycelium run --dry-run"
      Then the exit code is 0
      And standard output says "001"
      And no run was created
      And the user's checkout has not changed
      And no ref has changed
      And the task files have not changed
      And Mycelium's own files have not changed
      And nothing outside the repository has changed

    @docker
    Scenario: Quiet says only what went wrong
      When I run "mycelium run --quiet"
      Then the exit code is 0
      And standard error does not say "batch 1"
      And the log has no "run.stop" event

  Rule: A copy of the program works alone

    @docker
    Scenario: Help needs nothing
      Given a folder that is not a git repository
      And the program is installed elsewhere
      And an empty environment
      When I run "mycelium --help"
      Then the exit code is 0
      And standard output says "Usage: mycelium"
      And standard output says "status"
      And standard error does not say "error"
      And nothing outside the repository has changed

    @docker
    Scenario Outline: Help of <command> needs nothing
      Given a folder that is not a git repository
      And the program is installed elsewhere
      And an empty environment
      When I run "mycelium <command> --help"
      Then the exit code is 0
      And standard output says "Usage: mycelium <command>"
      And standard error does not say "error"

      Examples:
        | command     |
        | init        |
        | plan        |
        | run         |
        | resume      |
        | review      |
        | status      |
        | demo        |
        | schema      |
        | completions |

    @docker
    Scenario: The demonstration runs from an installed copy without any environment
      Given a folder that is not a git repository
      And the program is installed elsewhere
      And an empty environment
      When I run "mycelium demo"
      Then the exit code is 0
      And standard output says "every task landed"
      And standard output does not say "error"
      And nothing outside the repository has changed

    @docker
    Scenario: A project begins and work lands from an installed copy without any environment
      Given the repository "toy-repo"
      And the plan:
        | id  | name           | writes          |
        | 001 | write-greeting | src/greeting.js |
      And the program is installed elsewhere
      And an empty environment
      When I run "mycelium init"
      And I run "mycelium run"
      Then the exit code is 0
      And the integration branch has moved
      And the integration branch holds the file "src/greeting.js"
      And the integration branch has lost no commit
      And the checkout has no uncommitted change
      And nothing outside the repository has changed
