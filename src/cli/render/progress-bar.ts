import type { ProgressEvent } from '../../core/events.ts'
import type { Terminal } from '../services.ts'
import { formatBytes, formatDuration } from './units.ts'

interface Running {
  readonly startedAt: number
  done: number
  total: number
  files: string
}

const framesMs = 100

/** One line at the bottom of a terminal for all that runs: how far, how fast, how long still. */
export class ProgressBar {
  readonly #terminal: Terminal
  readonly #running = new Map<string, Running>()
  #isShown = false
  #drawnAt = 0

  constructor(terminal: Terminal) {
    this.#terminal = terminal
  }

  update(event: ProgressEvent): void {
    switch (event.type) {
      case 'plan.ready':
        if (event.files > 0) this.#running.set(event.repository, start(event.bytes))
        break
      case 'download.advanced':
        this.#advance(
          event.repository,
          event.bytes,
          event.totalBytes,
          `${event.files}/${event.totalFiles} files`,
        )
        break
      case 'verify.advanced':
        this.#advance('verify', event.bytes, event.totalBytes, `${event.blobs}/${event.totalBlobs} blobs`)
        break
      case 'sync.finished':
        this.#running.delete(event.repository)
        break
      default:
    }
  }

  draw(isForced = false): void {
    const now = performance.now()
    if (this.#running.size === 0) {
      this.clear()
      return
    }
    if (!isForced && now - this.#drawnAt < framesMs) return
    this.#drawnAt = now
    this.#terminal.stderr.write(
      `\r\u001b[2K${this.#line(now).slice(0, Math.max(this.#terminal.columns - 1, 20))}`,
    )
    this.#isShown = true
  }

  clear(): void {
    if (this.#isShown) this.#terminal.stderr.write('\r\u001b[2K')
    this.#isShown = false
  }

  #advance(name: string, done: number, total: number, files: string): void {
    const entry = this.#running.get(name) ?? start(total)
    entry.done = done
    entry.total = total
    entry.files = files
    this.#running.set(name, entry)
  }

  #line(now: number): string {
    const all = [...this.#running.values()]
    const done = all.reduce((sum, entry) => sum + entry.done, 0)
    const total = all.reduce((sum, entry) => sum + entry.total, 0)
    const seconds = (now - Math.min(...all.map(({ startedAt }) => startedAt))) / 1000
    const rate = seconds > 0 ? done / seconds : 0
    const share = total > 0 ? Math.min(done / total, 1) : 0
    const left = rate > 0 && total > done ? `, ${formatDuration(((total - done) / rate) * 1000)} left` : ''
    const names = [...this.#running.keys()]
    const name = names.length === 1 ? (names[0] ?? '') : `${names.length} repositories`
    const files = names.length === 1 ? ` ${all[0]?.files ?? ''}` : ''
    return `${name} [${bar(share)}] ${Math.floor(share * 100)} %${files} ${formatBytes(done)} of ${formatBytes(total)}, ${formatBytes(Math.round(rate))}/s${left}`
  }
}

const start = (total: number): Running => ({ startedAt: performance.now(), done: 0, total, files: '' })

function bar(share: number): string {
  const width = 20
  const filled = Math.round(share * width)
  return '#'.repeat(filled) + '.'.repeat(width - filled)
}
