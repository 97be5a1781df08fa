@G2.2 @tier2 @docker
Feature: G2.2 network_mode none isolates and still works
  In a container without a network an agent reaches nobody, has no rights that it does not need, and does its work all the
  same.

  Background:
    Given the repository "toy-repo"
    And the plan:
      | id  | name           | writes          |
      | 001 | write-greeting | src/greeting.js |
    And the configuration:
      """
      max_retries: 0
      worker: {env: ["SPOKEN=a-value-of-the-environment"]}
      """

  Scenario: No other interface than the loopback is there, nobody is reached, and the work lands
    Given the agent runs:
      """
      ls /sys/class/net >src/greeting.js
      if nc -w 1 192.0.2.1 80 </dev/null; then echo reached >>src/greeting.js; fi
      if ping -c 1 -W 1 192.0.2.1; then echo reached >>src/greeting.js; fi
      """
    When I run "mycelium run --run-id first"
    Then the exit code is 0
    And task "001" is "landed"
    And the file "src/greeting.js" on the integration branch does not contain "eth"
    And the file "src/greeting.js" on the integration branch does not contain "reached"
    And the file "src/greeting.js" on the integration branch contains "lo"
    And no container is left

  Scenario: The container has the limits that it is told to have, and no right beside them
    Given the configuration:
      """
      docker: {memory_mb: 256, pids_limit: 64}
      """
    And the agent runs:
      """
      signal at-work
      await may-go-on
      append src/greeting.js "$SPOKEN"
      """
    When I start "mycelium run --run-id first"
    And a script signals "at-work"
    Then the engine says of the container of task "001":
      | field                      | value                 |
      | HostConfig.NetworkMode     | none                  |
      | HostConfig.CapDrop         | ["ALL"]               |
      | HostConfig.SecurityOpt     | ["no-new-privileges"] |
      | HostConfig.Privileged      | false                 |
      | HostConfig.PidsLimit       | 64                    |
      | HostConfig.Memory          | 268435456             |
      | HostConfig.MemorySwap      | 268435456             |
      | HostConfig.Mounts.0.Target | /workspace            |
      | HostConfig.Mounts.1        | null                  |
    And the engine does not say "a-value-of-the-environment" of the container of task "001"
    When a script that awaits "may-go-on" goes on
    And the started command has ended
    Then the exit code is 0
    And the file "src/greeting.js" on the integration branch contains "a-value-of-the-environment"
    And no container is left

  @control
  Scenario: In mode bridge there is another interface
    Given the configuration:
      """
      docker: {network_mode: bridge}
      """
    And the agent runs:
      """
      ls /sys/class/net >src/greeting.js
      """
    When I run "mycelium run --run-id first"
    Then the exit code is 0
    And the file "src/greeting.js" on the integration branch contains "eth0"
    And no container is left
