// Milliseconds of CPU that a page's thread spends until its list stands there: ours against Playwright's, in turns, so
// that both meet the same machine. Ours slower is exit code 1.
import { pathToFileURL } from 'node:url'
import { statSync } from 'node:fs'
import { Browser, Page } from './browser.mjs'

const ROUNDS = 7
const [ours, theirs] = process.argv.slice(2)
const pages = [
  { name: 'ours', path: ours, ready: 'document.querySelectorAll(".matrix tbody").length === 60', spent: [] },
  { name: 'Playwright', path: theirs, ready: 'document.querySelectorAll(".chip").length === 60', spent: [] },
]

const browser = new Browser()
try {
  for (let round = 0; round < ROUNDS; round += 1) {
    for (const { name, path, ready, spent } of pages) {
      const page = await Page.open(browser, pathToFileURL(path).href)
      if (!(await page.becomes(ready))) throw new Error(`the page of ${name} never shows its list`)
      spent.push(await page.cpu())
      await page.close()
    }
  }
} finally {
  await browser.close()
}
const [our, their] = pages.map(({ name, path, spent }) => {
  const middle = spent.sort((a, b) => a - b)[Math.floor(ROUNDS / 2)]
  console.log(`${name}: ${middle.toFixed(1)} ms of CPU to the first list, middle of ${ROUNDS}; ${statSync(path).size} bytes`)
  return middle
})
process.exit(our > their ? 1 : 0)
