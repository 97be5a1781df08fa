@G0.9 @tier0 @mock
Feature: G0.9 No path escapes, and nothing planted in a workspace's .git executes
  No id and no path leaves its folder, wherever it comes from. What an agent leaves in its workspace is looked at as data:
  no hook, filter, driver or helper of its `.git` runs, and what git would not see is seen.

  Rule: No id and no path leaves its folder

    Background:
      Given the repository "toy-repo"
      And the plan:
        | id  | name           | writes          |
        | 001 | write-greeting | src/greeting.js |

    @docker
    Scenario Outline: An id that escapes is refused by the command line: <line>
      When I run "mycelium <line>"
      Then the exit code is 2
      And standard error says "<id>"
      And nothing is printed on standard output
      And no run was created
      And nothing outside the repository has changed
      And the integration branch has not moved

      Examples:
        | line                             | id            |
        | run --run-id ../../../evil       | ../../../evil |
        | run --run-id /tmp/evil           | /tmp/evil     |
        | run --run-id ..                  | ..            |
        | run --run-id a/b                 | a/b           |
        | run --run-id .hidden             | .hidden       |
        | run --run-id ''                  | --run-id      |
        | run --project ../../evil         | ../../evil    |
        | run --tasks ../../evil           | ../../evil    |
        | status --run-id ../../../evil    | ../../../evil |
        | plan --input x --project ../evil | ../evil       |

    @docker
    Scenario Outline: A plan that escapes is refused whatever it escapes with: <what>
      Given the planner answers:
        """
        {"tasks": [{"id": "<id>", "name": "a", "files": {"writes": ["<write>"]}}]}
        """
      When I run "mycelium plan --input .mycelium/plan.md --force"
      Then the exit code is 2
      And standard error says "planner-output.json:1:"
      And the planned tasks are "001"
      And the task files have not changed
      And nothing outside the repository has changed

      Examples:
        | what                   | id         | write             |
        | an id upwards          | ../../evil | a.txt             |
        | an absolute id         | /tmp/evil  | a.txt             |
        | an id with a slash     | a/b        | a.txt             |
        | an id with a backslash | a\\\\b     | a.txt             |
        | an empty id            |            | a.txt             |
        | a write upwards        | 002        | ../evil.txt       |
        | a write up and down    | 002        | src/../../evil.js |
        | an absolute write      | 002        | /tmp/evil.txt     |
        | a write into .git      | 002        | .git/hooks/commit |
        | a write to a device    | 002        | src/nul           |
        | a device in disguise   | 002        | CON.txt           |
        | a write into .mycelium | 002        | .mycelium/x       |
        | a NUL                  | 002        | a\\u0000b         |

    @docker
    Scenario: A manifest that was changed on disk to escape is refused
      Given the file ".mycelium/tasks/001-write-greeting/manifest.json" holds:
        """
        {"id": "x/../../../../evil", "name": "write-greeting", "description": "", "dependencies": [],
         "locks": {"reads": [], "writes": []}, "files": {"reads": [], "writes": ["../../../esc.txt"]},
         "spec": "spec.md"}
        """
      When I run "mycelium run"
      Then the exit code is 2
      And standard error says "manifest.json:1:"
      And no run was created
      And nothing outside the repository has changed
      And the integration branch has not moved

    @docker
    Scenario: A plan index that names a folder outside is refused
      Given the file ".mycelium/tasks/plan.json" holds:
        """
        {"schema_version": 1, "tasks": [{"id": "001", "dir": "../../../evil"}]}
        """
      When I run "mycelium run"
      Then the exit code is 2
      And standard error says "plan.json"
      And no run was created
      And nothing outside the repository has changed
      And the integration branch has not moved

    @docker
    Scenario Outline: A doctor outside the repository is refused: <doctor>
      Given the configuration:
        """
        doctor: "<doctor>"
        """
      When I run "mycelium run"
      Then the exit code is 2
      And standard error says ".mycelium/config.yaml:"
      And no run was created
      And the integration branch has not moved

      Examples:
        | doctor          |
        | ../doctor.sh    |
        | /bin/true       |
        | .git/hooks/a.sh |

  Rule: Nothing that an agent leaves in its workspace runs, and all of it is seen

    Background:
      Given the repository "toy-repo"
      And the plan:
        | id  | name           | writes          |
        | 001 | write-greeting | src/greeting.js |
      And the doctor runs:
        """
        see_tree
        """

    @docker
    Scenario: Hooks, filters, drivers and helpers in the workspace's .git do not run
      Given the agent runs:
        """
        plant_in_git
        write src/greeting.js "a greeting"
        """
      When I run "mycelium run"
      Then the exit code is 0
      And task "001" is "landed"
      And the integration branch holds the file "src/greeting.js"
      And nothing that was planted has run
      And nothing outside the repository has changed
      And no untested commit is on the integration branch

    @docker
    Scenario: Planted programs do not run where the work is refused either
      Given the configuration:
        """
        manifest_enforcement: block
        """
      And the agent runs:
        """
        plant_in_git
        write src/greeting.js "a greeting"
        write src/other.js "not mine"
        """
      When I run "mycelium run"
      Then the exit code is 1
      And the log has a "manifest.block" event for task "001"
      And the run file "tasks/001/attempt-1/diff.patch" contains "not mine"
      And nothing that was planted has run
      And the integration branch has not moved
      And the log has no "landing.intent" event

    @docker
    Scenario Outline: What is hidden from the workspace's git is not hidden from the manifest: <how>
      Given the configuration:
        """
        manifest_enforcement: block
        """
      And the agent runs:
        """
        write src/greeting.js "a greeting"
        <hide>
        """
      When I run "mycelium run"
      Then the exit code is 1
      And task "001" is "needs_human_review"
      And a "manifest.block" event says:
        | field             | value  |
        | violations.0.path | <path> |
      And the run file "tasks/001/attempt-1/diff.patch" contains "<path>"
      And the integration branch has not moved
      And the log has no "landing.intent" event

      Examples:
        | how                        | path         | hide                                                                             |
        | excluded by info/exclude   | src/other.js | mkdir -p .git/info; echo src/other.js >>.git/info/exclude; write src/other.js x  |
        | ignored by a .gitignore    | .gitignore   | write .gitignore src/other.js; write src/other.js x                              |
        | marked assume-unchanged    | src/index.js | git update-index --assume-unchanged src/index.js; append src/index.js x          |
        | marked skip-worktree       | src/index.js | git update-index --skip-worktree src/index.js; append src/index.js x             |
        | committed by the agent     | src/other.js | write src/other.js x; git add .; git -c user.name=x -c user.email=x commit -qm x |
        | in an index that is broken | src/other.js | write src/other.js x; echo broken >.git/index                                    |
        | without any .git           | src/other.js | write src/other.js x; rm -rf .git                                                |
        | another mode               | src/index.js | git config core.fileMode false; chmod +x src/index.js                            |

    @docker
    Scenario: A name that no path of a repository may have is refused and shown without its control character
      Given the agent runs:
        """
        write src/greeting.js "a greeting"
        touch "$(printf 'src/o\nther')"
        """
      When I run "mycelium run"
      Then the exit code is 1
      And task "001" is "needs_human_review"
      And the log has a "path.refused" event for task "001"
      And a "manifest.block" event says:
        | field             | value        |
        | violations.0.path | src/o\\nther |
        | violations.0.kind | refused      |
      And the integration branch has not moved
      And the log has no "landing.intent" event

    @docker
    Scenario Outline: What is no file does not land: <what>
      Given the configuration:
        """
        max_retries: 0
        """
      And the agent runs:
        """
        <deed>
        """
      When I run "mycelium run"
      Then the exit code is 1
      And task "001" is not "landed"
      And the log has a "worker.exit" event for task "001"
      And the integration branch has not moved
      And the log has no "landing.intent" event
      And nothing outside the repository has changed

      Examples:
        | what                                | deed                                                              |
        | a named pipe                        | mkdir -p src; mkfifo src/greeting.js                              |
        | a named pipe for .gitignore         | mkfifo .gitignore                                                 |
        | a named pipe for .gitattributes     | mkfifo .gitattributes                                             |
        | a link out of the repository        | ln -s ../../../../evil src/greeting.js                            |
        | an absolute link                    | ln -s /etc/passwd src/greeting.js                                 |
        | a folder that is a link outwards    | rm -rf src; ln -s / src                                           |
        | a link into .git                    | ln -s ../.git/config src/greeting.js                              |
        | a nested repository                 | mkdir -p src/sub; git init -q src/sub; echo x >src/sub/f          |
        | a nested repository with hooks      | mkdir src/sub; cd src/sub; git init -q .; plant_in_git; echo x >f |
        | a workspace that is gone            | rm -rf "$MYCELIUM_WORKSPACE"                                      |
        | a workspace that is a link outwards | rm -rf "$MYCELIUM_WORKSPACE"; ln -s / "$MYCELIUM_WORKSPACE"       |

    @control @docker
    Scenario: A git of the user's that trusts the workspace does run what was planted, and the work lands
      Given the configuration:
        """
        cleanup: {workspaces: never}
        """
      And the agent runs:
        """
        plant_in_git
        write src/greeting.js "a greeting"
        """
      When I run "mycelium run"
      And a git that trusts it looks at the workspace of task "001"
      Then the exit code is 0
      And "fsmonitor" is among what was planted and has run
      And task "001" is "landed"
      And the integration branch has moved
      And the integration branch has lost no commit

    # Not in containers: what it plants leaves its traces outside of them.
    @control
    Scenario: The agent's own git does run what was planted, and its work lands
      Given the agent runs:
        """
        plant_in_git
        write src/greeting.js "a greeting"
        git status --short
        """
      When I run "mycelium run"
      Then the exit code is 0
      And "fsmonitor" is among what was planted and has run
      And task "001" is "landed"
      And the integration branch has moved
      And the integration branch has lost no commit

    @control @docker
    Scenario: A link within the repository lands
      Given the agent runs:
        """
        ln -s index.js src/greeting.js
        """
      When I run "mycelium run"
      Then the exit code is 0
      And task "001" is "landed"
      And the integration branch has moved
      And the file "src/greeting.js" on the integration branch contains "index.js"
      And the log has no "path.refused" event
