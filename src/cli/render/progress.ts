import { styleText } from 'node:util'
import type { ProgressEvent, Reporter, Warning } from '../../core/events.ts'
import type { Terminal } from '../services.ts'
import { toMachine } from './machine.ts'
import { ProgressBar } from './progress-bar.ts'
import { printable } from './table.ts'
import { count, formatBytes, formatDuration } from './units.ts'

export const progressKinds = ['auto', 'bar', 'plain', 'json', 'none'] as const

export type ProgressKind = (typeof progressKinds)[number]

export interface ProgressOptions {
  readonly progress: ProgressKind
  readonly quiet?: boolean
  readonly verbose?: boolean
  readonly color: boolean
}

/** Shows progress on standard error, as asked for or as the terminal allows, and warnings in any case. `--quiet` shows nothing but errors. */
export function createReporter(options: ProgressOptions, terminal: Terminal): Reporter & Disposable {
  if (options.quiet) return { report: () => {}, [Symbol.dispose]: () => {} }
  const { progress } = options
  const kind = progress !== 'auto' ? progress : terminal.isInteractive ? 'bar' : 'plain'
  switch (kind) {
    case 'none':
      return warningsOnly(new LineReporter(terminal, options, null))
    case 'json':
      return new JsonReporter(terminal)
    case 'plain':
      return new LineReporter(terminal, options, null)
    case 'bar':
      return new LineReporter(terminal, options, new ProgressBar(terminal))
  }
}

function warningsOnly(reporter: Reporter & Disposable): Reporter & Disposable {
  return {
    report: (event) => {
      if (event.type === 'warning') reporter.report(event)
    },
    [Symbol.dispose]: () => reporter[Symbol.dispose](),
  }
}

/** One event a line. Advances are thinned out to a few a second. */
class JsonReporter implements Reporter, Disposable {
  readonly #terminal: Terminal
  #lastAdvance = 0

  constructor(terminal: Terminal) {
    this.#terminal = terminal
  }

  report(event: ProgressEvent): void {
    if (event.type === 'download.advanced' || event.type === 'verify.advanced') {
      const now = performance.now()
      if (now - this.#lastAdvance < 250) return
      this.#lastAdvance = now
    }
    this.#terminal.stderr.write(`${JSON.stringify(toMachine(event))}\n`)
  }

  [Symbol.dispose](): void {}
}

/** Plain lines for a log; with a bar, the bar below them. */
class LineReporter implements Reporter, Disposable {
  readonly #terminal: Terminal
  readonly #isVerbose: boolean
  readonly #useColor: boolean
  readonly #bar: ProgressBar | null
  #lastAdvance = performance.now()
  #syncs = 0

  constructor(terminal: Terminal, options: ProgressOptions, bar: ProgressBar | null) {
    this.#terminal = terminal
    this.#isVerbose = options.verbose ?? false
    this.#useColor = options.color && terminal.useColor
    this.#bar = bar
  }

  report(event: ProgressEvent): void {
    this.#bar?.update(event)
    if (event.type === 'sync.started') this.#syncs += 1
    const line = this.#lineOf(event)
    if (line !== null) this.#write(`${printable(line)}\n`, event.type === 'warning')
    else this.#bar?.draw()
  }

  [Symbol.dispose](): void {
    this.#bar?.clear()
  }

  #write(line: string, isWarning: boolean): void {
    this.#bar?.clear()
    const text =
      isWarning && this.#useColor
        ? line.replace(/^warning:/, styleText('yellow', 'warning:', { validateStream: false }))
        : line
    this.#terminal.stderr.write(text)
    this.#bar?.draw(true)
  }

  #lineOf(event: ProgressEvent): string | null {
    switch (event.type) {
      case 'warning':
        return `warning: ${ofRepository(event)}${event.message} (${event.code})`
      case 'notice':
        return event.message
      case 'sync.started':
        return this.#isVerbose ? `${event.repository}: reading upstream` : null
      case 'metadata.fetched':
        return this.#isVerbose ? `${event.repository}: ${event.path} (${formatBytes(event.bytes)})` : null
      case 'plan.ready':
        return `${event.repository}: ${event.added} added, ${event.removed} removed, ${event.replaced} replaced; ${count(event.files, 'file')} to fetch (${formatBytes(event.bytes)})`
      case 'download.advanced':
        return this.#bar ? null : this.#advanceLine(event)
      case 'download.retried':
        return this.#isVerbose
          ? `${event.repository}: ${event.url}: ${event.message}; trying again in ${formatDuration(event.retryInMs)}`
          : null
      case 'download.failed':
        return this.#isVerbose ? `${event.repository}: ${event.path}: ${event.message}` : null
      case 'sync.finished':
        // Of a single one the result follows at once.
        if (this.#syncs < 2 && !this.#isVerbose) return null
        return `${event.repository}: ${event.status}${event.revision === null ? '' : `, revision ${event.revision}`}, ${count(event.packages, 'package')} (${formatDuration(event.durationMs)})`
      case 'publish.started':
        return this.#isVerbose ? `${event.path}: publishing ${count(event.packages, 'package')}` : null
      case 'publish.switched':
        return this.#isVerbose ? `${event.path}: switched to ${event.generation}` : null
      case 'verify.advanced':
        return this.#bar || !this.#isDue() ? null : `verified ${event.blobs} of ${event.totalBlobs} blobs`
      case 'gc.finished':
        return null
    }
  }

  /** A log wants a sign of life, not every file. */
  #advanceLine(event: Extract<ProgressEvent, { type: 'download.advanced' }>): string | null {
    if (!this.#isDue()) return null
    return `${event.repository}: ${event.files} of ${event.totalFiles} files (${formatBytes(event.bytes)} of ${formatBytes(event.totalBytes)})`
  }

  #isDue(): boolean {
    const now = performance.now()
    if (now - this.#lastAdvance < 10_000) return false
    this.#lastAdvance = now
    return true
  }
}

/** Several repositories are synced at once: whose warning it is stands before it, where its own words do not begin with that. */
function ofRepository({ repository, message }: Warning): string {
  return repository === undefined || message.startsWith(`${repository} `) ? '' : `${repository}: `
}
