// As many tests as the large report of reports/tests/support has scenarios, in as many files as it has goals, with as many
// steps; as many fail, are flaky and do not run.
import { test } from '@playwright/test'

const GOALS = 60
const SCENARIOS = 1000
const STEPS = 12

/** The tests of a goal. */
export const cases = (goal) => {
  for (let number = goal; number < SCENARIOS; number += GOALS) {
    test(`case ${number}: nothing lands after a block and the branch stays where it was`, async ({}, info) => {
      test.skip(number >= 50 && number < 99, 'it does not run')
      for (let step = 0; step < STEPS; step += 1) {
        await test.step(`step ${step} of case ${number}: the branch is where it was before`, () => {
          const failed = number < 31 || (number < 50 && info.retry === 0)
          if (failed && step === STEPS - 1) throw new Error('expected: the branch stays\n   found: it moved')
        })
      }
    })
  }
}
