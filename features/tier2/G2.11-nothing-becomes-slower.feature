@G2.11 @tier2 @mock @timeout(5m)
Feature: G2.11 Planning, scheduling and log queries do not become slower than their baselines
  What `accept bench` measures of planning, runs, resuming and log queries is compared with its baselines: a figure over
  its limit is red and named with value and limit, one within it is not.

  Background:
    Given the repository "toy-repo"

  Scenario Outline: A figure over its limit is red and named: <figure>
    Given the baseline of "<figure>" is 1 thousandth of its floor
    When I measure "<figure>"
    Then the exit code is 1
    And standard error says "too slow: <figure> (cpu-ratio) is "
    And standard error says "over its limit 0.001x; its baseline is 0.001x"
    And standard error does not say "every figure is within its limit"

    Examples:
      | figure          |
      | plan/10         |
      | run/1           |
      | resume/finished |
      | logs/10000      |

  @control
  Scenario Outline: A figure within its limit is not: <figure>
    Given the baseline of "<figure>" is 10000000 thousandths of its floor
    When I measure "<figure>"
    Then the exit code is 0
    And standard error says "every figure is within its limit"
    And standard error does not say "too slow"

    Examples:
      | figure          |
      | plan/10         |
      | run/1           |
      | resume/finished |
      | logs/10000      |
