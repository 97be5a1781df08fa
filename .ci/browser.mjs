// A headless Chromium over the DevTools protocol on a pipe.
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A browser that answers over a pipe: messages of JSON, each ended by NUL. */
export class Browser {
  #process
  #profile = mkdtempSync(join(tmpdir(), 'report-page-'))
  #next = 0
  #waiting = new Map()
  #listeners = []
  #rest = ''

  constructor() {
    const flags = ['--headless', '--remote-debugging-pipe', '--no-first-run', '--disable-gpu', '--hide-scrollbars', '--disable-background-networking', `--user-data-dir=${this.#profile}`]
    // The sandbox needs a user of its own, which containers mostly do not have.
    if (process.getuid?.() === 0) flags.push('--no-sandbox')
    this.#process = spawn('chromium', flags, { stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'] })
    this.#process.on('exit', (code) => {
      for (const { reject } of this.#waiting.values()) reject(new Error(`chromium ended with ${code}`))
    })
    this.#process.stdio[4].setEncoding('utf8').on('data', (text) => {
      const messages = (this.#rest + text).split('\0')
      this.#rest = messages.pop()
      messages.forEach((message) => this.#hear(JSON.parse(message)))
    })
  }

  #hear(message) {
    if (message.id === undefined) return this.#listeners.forEach((listener) => listener(message))
    const { resolve, reject } = this.#waiting.get(message.id)
    this.#waiting.delete(message.id)
    if (message.error) reject(new Error(message.error.message))
    else resolve(message.result)
  }

  send(method, params = {}, sessionId = undefined) {
    const id = ++this.#next
    this.#process.stdio[3].write(`${JSON.stringify({ id, method, params, sessionId })}\0`)
    return new Promise((resolve, reject) => this.#waiting.set(id, { resolve, reject }))
  }

  listen(listener) {
    this.#listeners.push(listener)
  }

  async close() {
    const ended = new Promise((resolve) => this.#process.on('exit', resolve))
    await this.send('Browser.close')
    await ended
    rmSync(this.#profile, { recursive: true, force: true })
  }
}

/** A page of its own, with everything that it asked for and complained about. */
export class Page {
  requests = []
  complaints = []

  static async open(browser, address, { dark = false, scripts = true, width = 1400, height = 1000 } = {}) {
    const page = new Page()
    const { targetId } = await browser.send('Target.createTarget', { url: 'about:blank' })
    const { sessionId } = await browser.send('Target.attachToTarget', { targetId, flatten: true })
    page.targetId = targetId
    page.browser = browser
    page.send = (method, params) => browser.send(method, params, sessionId)
    const loaded = new Promise((resolve) => {
      browser.listen((event) => {
        if (event.sessionId !== sessionId) return
        if (event.method === 'Network.requestWillBeSent') page.requests.push(event.params.request.url)
        if (event.method === 'Log.entryAdded') page.complaints.push(event.params.entry.text)
        if (event.method === 'Runtime.exceptionThrown') page.complaints.push(event.params.exceptionDetails.exception?.description)
        if (event.method === 'Page.loadEventFired') resolve()
      })
    })
    for (const domain of ['Page', 'Runtime', 'Network', 'Log']) await page.send(`${domain}.enable`)
    await page.send('Performance.enable', { timeDomain: 'threadTicks' })
    await page.send('Emulation.setDeviceMetricsOverride', { width, height, deviceScaleFactor: 1, mobile: false })
    await page.send('Emulation.setEmulatedMedia', { features: [{ name: 'prefers-color-scheme', value: dark ? 'dark' : 'light' }, { name: 'prefers-reduced-motion', value: 'reduce' }] })
    await page.send('Emulation.setScriptExecutionDisabled', { value: !scripts })
    await page.send('Page.navigate', { url: address })
    await loaded
    return page
  }

  async run(expression) {
    const { result, exceptionDetails } = await this.send('Runtime.evaluate', { expression, awaitPromise: true, returnByValue: true })
    if (exceptionDetails) throw new Error(`${expression}: ${exceptionDetails.exception?.description ?? exceptionDetails.text}`)
    return result.value
  }

  /** Evaluates until it is true; what never becomes so is an error after some thousand frames. */
  becomes(condition) {
    return this.run(`new Promise((resolve) => {
      let left = 2000
      const look = () => (${condition}) ? resolve(true) : left-- > 0 ? requestAnimationFrame(look) : resolve(false)
      look()
    })`)
  }

  async press(key) {
    const text = key.length === 1 ? key : key === 'Enter' ? '\r' : undefined
    await this.send('Input.dispatchKeyEvent', { type: 'keyDown', key, text, code: key, windowsVirtualKeyCode: { Enter: 13, Escape: 27 }[key] })
    await this.send('Input.dispatchKeyEvent', { type: 'keyUp', key, code: key })
  }

  async type(text) {
    for (const key of text) await this.press(key)
  }

  /** Milliseconds of CPU that the page's thread spent, up to and with the first frame. */
  async cpu() {
    await this.run('new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)))')
    const { metrics } = await this.send('Performance.getMetrics')
    return metrics.find(({ name }) => name === 'TaskDuration').value * 1000
  }

  async picture(path) {
    const { data } = await this.send('Page.captureScreenshot', { format: 'png' })
    writeFileSync(path, Buffer.from(data, 'base64'))
  }

  close() {
    return this.browser.send('Target.closeTarget', { targetId: this.targetId })
  }
}
