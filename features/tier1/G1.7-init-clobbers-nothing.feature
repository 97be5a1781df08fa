@G1.7 @tier1 @mock
Feature: G1.7 Init clobbers nothing
  "mycelium init" writes the first files of a project, keeps every file that is there, and touches nothing else. Only
  "--force" replaces, and it says so. What it writes is enough to begin, and lets nothing land before there is a doctor.

  Rule: What is there stays

    Background:
      Given the repository "toy-repo"
      And the folder ".mycelium" is missing

    @docker
    Scenario: The first files are written and nothing else
      Given the repository has hooks that leave traces
      When I run "mycelium init"
      Then the exit code is 0
      And the checkout holds the file ".mycelium/config.yaml"
      And the checkout holds the file ".mycelium/doctor.sh"
      And the checkout holds the file ".mycelium/.gitignore"
      And the checkout holds the file ".mycelium/plan.md"
      And the file ".mycelium/config.yaml" of the checkout contains "main"
      And standard output says "created"
      And the user's checkout has not changed
      And no ref has changed
      And no hook has run
      And no run was created
      And nothing outside the repository has changed

    @docker
    Scenario Outline: A file that is there is kept, and the others are written: <file>
      Given the file ".mycelium/<file>" holds:
        """
        written by the user
        """
      When I run "mycelium init"
      Then the exit code is 0
      And standard output says "kept     .mycelium/<file>"
      And standard output says "created"
      And the file ".mycelium/<file>" of the checkout contains "written by the user"
      And the checkout holds the file ".mycelium/<other>"
      And Mycelium's own file "<file>" has not changed
      And the user's checkout has not changed

      Examples:
        | file        | other       |
        | config.yaml | doctor.sh   |
        | doctor.sh   | config.yaml |
        | .gitignore  | plan.md     |
        | plan.md     | .gitignore  |

    @docker
    Scenario: A second init changes nothing
      When I run "mycelium init"
      And the user writes the file ".mycelium/doctor.sh":
        """
        #!/bin/sh
        echo the user's own doctor
        """
      And I run "mycelium init"
      Then the exit code is 0
      And the file ".mycelium/doctor.sh" of the checkout contains "the user's own doctor"
      And standard output does not say "created"
      And standard output does not say "replaced"
      And the user's checkout has not changed

    @docker
    Scenario: Only force replaces, and it says so
      Given the file ".mycelium/config.yaml" holds:
        """
        written by the user
        """
      And the file ".mycelium/notes.txt" holds:
        """
        notes of the user
        """
      When I run "mycelium init --force"
      Then the exit code is 0
      And standard output says "replaced .mycelium/config.yaml"
      And the file ".mycelium/config.yaml" of the checkout contains "integration_branch"
      And Mycelium's own file "notes.txt" has not changed
      And the user's checkout has not changed
      And no ref has changed

    @docker
    Scenario Outline: A link is not written through: <arguments>
      Given the file "precious.txt" holds:
        """
        precious
        """
      And the file ".mycelium/notes.txt" holds:
        """
        notes of the user
        """
      And the path ".mycelium/config.yaml" is a symbolic link to "../precious.txt"
      When I run "mycelium <arguments>"
      Then the file "precious.txt" of the checkout contains "precious"
      And Mycelium's own file "notes.txt" has not changed
      And the user's checkout has not changed

      Examples:
        | arguments    |
        | init         |
        | init --force |

    @docker
    Scenario: The branch that is checked out becomes the integration branch
      Given the user has checked out the branch "feature"
      When I run "mycelium init"
      Then the exit code is 0
      And the file ".mycelium/config.yaml" of the checkout contains "feature"
      And no ref has changed
      And the user's checkout has not changed

    @docker
    Scenario: What init writes lets nothing land before there is a doctor
      Given the planner proposes:
        | id  | name           | writes          |
        | 001 | write-greeting | src/greeting.js |
      When I run "mycelium init"
      And the user names the image of containers
      And I run "mycelium plan --input .mycelium/plan.md"
      And I run "mycelium run"
      Then the exit code is 1
      And the stop reason is "doctor_failed"
      And the run file "landing/1/doctor.log" contains "replace this"
      And the integration branch has not moved
      And the log has no "landing.intent" event

    @docker
    Scenario: With a doctor, the configuration that init writes runs each task once
      Given the planner proposes:
        | id  | name           | writes                            |
        | 001 | write-greeting | src/greeting.js                   |
        | 002 | write-farewell | src/farewell.js, test/farewell.js |
      When I run "mycelium init"
      And the user writes the file ".mycelium/doctor.sh":
        """
        #!/bin/sh
        test -f src/index.js
        """
      And the user names the image of containers
      And I run "mycelium plan --input .mycelium/plan.md"
      And I run "mycelium run"
      Then the exit code is 0
      And the run status is "complete"
      And task "001" has made 1 attempt
      And task "002" has made 1 attempt
      And the log has 1 "batch.start" event
      And the integration branch has moved
      And the log has no "task.rescope" event
      And the log has no "manifest.warn" event
      And the log has no "task.retry" event
      And the checkout has no uncommitted change

  Rule: A place that cannot be a project is refused

    @docker
    Scenario: A folder that is not a git repository
      Given a folder that is not a git repository
      And the folder ".mycelium" is missing
      When I run "mycelium init"
      Then the exit code is 2
      And standard error says "not inside a git repository"
      And the checkout does not hold the file ".mycelium/config.yaml"
      And nothing is printed on standard output
