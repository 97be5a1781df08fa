// Validates every line of a stream of Cucumber Messages against the official schema, and renders the stream with the
// official HTML formatter. Arguments: schema, stream, page to write. Fails where nothing was there to validate.
import { createWriteStream, readFileSync, statSync } from 'node:fs'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { createRequire } from 'node:module'

const require = createRequire(import.meta.url)
const Ajv = require('ajv/dist/2020').default
const { CucumberHtmlStream } = require('@cucumber/html-formatter')

const [schemaPath, streamPath, pagePath] = process.argv.slice(2)
const fail = (reason) => {
  console.error(reason)
  process.exit(1)
}

const validate = new Ajv({ strict: false, allErrors: true }).compile(JSON.parse(readFileSync(schemaPath, 'utf8')))
if (validate({ pickle: { id: 1 } })) fail(`${schemaPath} accepts anything`)

const lines = readFileSync(streamPath, 'utf8').split('\n').slice(0, -1)
const envelopes = lines.map((line, index) => {
  const envelope = JSON.parse(line)
  if (!validate(envelope)) fail(`${streamPath}:${index + 1}: ${JSON.stringify(validate.errors)}`)
  return envelope
})
const finished = envelopes.filter((envelope) => envelope.testCaseFinished).length
if (finished === 0) fail(`${streamPath} holds no scenario that ran`)

await pipeline(Readable.from(envelopes), new CucumberHtmlStream(), createWriteStream(pagePath))
if (statSync(pagePath).size === 0) fail(`${pagePath} is empty`)
console.log(`${lines.length} messages of ${finished} scenarios are valid; rendered ${pagePath}`)
