import type { ChantalError } from '../../core/errors.ts'
import { isChantalError } from '../../core/errors.ts'
import type { Reporter } from '../../core/events.ts'
import type { UpstreamFile } from '../../core/model.ts'
import type { Pool } from '../../pool/pool.ts'
import type { SharedAdmission } from '../admission.ts'
import type { DownloadOutcome, MetalinkFile, UpstreamAccess } from '../downloader.ts'
import type { Mirrors } from '../mirrors.ts'
import { offAbort, onAbort } from '../on-abort.ts'
import { wholeLimit } from '../request.ts'
import {
  accessMessage,
  errorOf,
  fileMessage,
  type MessageFromThread,
  type MessageToThread,
  type OutcomeMessage,
  type Port,
} from './messages.ts'

/** A thread in which `serveDownloads` runs, and the way to it. */
export interface StartedThread extends AsyncDisposable {
  readonly port: Port<MessageFromThread, MessageToThread>
  /** Called once, if the thread ends by itself. */
  onFailure(fail: (error: unknown) => void): void
}

export interface ThreadOptions {
  start(): StartedThread
  /** Lists of so many small files go to the thread: for fewer its start costs more than it gains. Default: 1000. */
  readonly minFiles?: number
}

/** Where the files of a run come from. */
export interface RunSource {
  readonly access: UpstreamAccess
  readonly mirrors: Mirrors
  readonly metalink: MetalinkFile | null
}

const defaultMinFiles = 1000
/** Files in one message. */
const sliceFiles = 250
/** Files that the thread may be ahead of whoever takes the outcomes. They are on disk, and wait there for their names. */
const aheadFiles = 4000

/**
 * Downloads long lists of files in a second thread: most of the work is system calls and hashes, which leave the first one free to
 * name what arrived and to record it. The bounds of requests stay with the first, which lends from them.
 */
export class DownloadThread implements AsyncDisposable {
  readonly #options: ThreadOptions
  readonly #pool: Pool
  readonly #reporter: Reporter
  readonly #admission: SharedAdmission
  readonly #runs = new Map<number, Run>()
  /** What ends each request that the thread has begun. */
  readonly #loans = new Map<number, { readonly host: string; readonly release: () => void }>()
  readonly #closing = new AbortController()
  #started: StartedThread | null = null
  #lastRun = 0

  constructor(
    options: ThreadOptions,
    { pool, reporter, admission }: { pool: Pool; reporter: Reporter; admission: SharedAdmission },
  ) {
    this.#options = options
    this.#pool = pool
    this.#reporter = reporter
    this.#admission = admission
  }

  /**
   * Whether a list is worth the thread: it is the number of files that takes the time of one, not their bytes. Large ones are a
   * tenth slower there.
   */
  takes(files: readonly UpstreamFile[]): boolean {
    const minFiles = this.#options.minFiles ?? defaultMinFiles
    if (files.length < minFiles) return false
    const small = files.filter(({ expect }) => (expect.size ?? 0) <= wholeLimit).length
    return small >= minFiles && 2 * small >= files.length
  }

  /** As `UpstreamClient.fetchAll`. */
  async *fetchAll(
    source: RunSource,
    files: readonly UpstreamFile[],
    signal: AbortSignal,
  ): AsyncGenerator<DownloadOutcome> {
    signal.throwIfAborted()
    const { access, mirrors, metalink } = source
    const { port } = this.#start()
    this.#lastRun += 1
    const id = this.#lastRun
    const run = new Run(files, mirrors, (message) => port.post({ ...message, run: id }))
    this.#runs.set(id, run)
    const wake = () => run.wake()
    onAbort(signal, wake)
    try {
      const client = { access: accessMessage(access), mirrors: mirrors.state(), metalink }
      port.post({ type: 'run', run: id, client })
      for (;;) {
        const message = await run.next(signal)
        if (message === null) return
        yield this.#outcomeOf(message, files)
        signal.throwIfAborted()
      }
    } finally {
      offAbort(signal, wake)
      for (const message of await run.stop())
        if ('blob' in message) await this.#pool.takeOver(message.blob)[Symbol.asyncDispose]()
      this.#runs.delete(id)
      // What it takes of memory is wanted for what comes next.
      if (this.#runs.size === 0) await this.#end()
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort(new Error('the thread is closed'))
    await this.#end()
  }

  #start(): StartedThread {
    if (this.#started) return this.#started
    const started = this.#options.start()
    started.port.onMessage((message) => this.#receive(message, started))
    started.onFailure((error) => {
      if (this.#started !== started) return
      this.#started = null
      this.#fail(error)
    })
    this.#started = started
    return started
  }

  async #end(): Promise<void> {
    const started = this.#started
    this.#started = null
    this.#fail(new Error('the thread was ended'))
    await started?.[Symbol.asyncDispose]()
  }

  #receive(message: MessageFromThread, started: StartedThread): void {
    switch (message.type) {
      case 'more':
        this.#runs.get(message.run)?.wantMore()
        break
      case 'outcomes':
        this.#runs.get(message.run)?.add(message.outcomes)
        break
      case 'ended': {
        const { mirrors, error } = message
        this.#runs.get(message.run)?.end(mirrors, error && errorOf(error))
        break
      }
      case 'event':
        this.#reporter.report(message.event)
        break
      case 'wanted':
        this.#lend(message.request, message.host, started)
        break
      case 'held': {
        const { request } = message
        const host = this.#loans.get(request)?.host
        if (host !== undefined && this.#admission.isWanted(host))
          started.port.post({ type: 'recalled', request })
        break
      }
      case 'returned':
        this.#loans.get(message.request)?.release()
        this.#loans.delete(message.request)
        break
      case 'paused':
        this.#admission.pause(message.host, message.ms)
    }
  }

  #lend(request: number, host: string, borrower: StartedThread): void {
    this.#admission.enter(host, this.#closing.signal).then(
      (release) => {
        if (this.#started !== borrower) {
          release()
          return
        }
        this.#loans.set(request, { host, release })
        borrower.port.post({ type: 'lent', request })
      },
      // All is closed.
      () => {},
    )
  }

  /** The thread is gone: with it the requests that it had begun. */
  #fail(error: unknown): void {
    for (const { release } of this.#loans.values()) release()
    this.#loans.clear()
    for (const run of this.#runs.values()) run.fail(error)
  }

  #outcomeOf(message: OutcomeMessage, files: readonly UpstreamFile[]): DownloadOutcome {
    const file = files[message.index]
    if (!file) throw new Error(`an outcome of no file: ${message.index}`)
    const { url } = message
    if ('blob' in message) return { ok: true, file, blob: this.#pool.takeOver(message.blob), url }
    return { ok: false, file, url, error: asChantalError(errorOf(message.error)) }
  }
}

function asChantalError(error: Error): ChantalError {
  if (!isChantalError(error)) throw error
  return error
}

type RunMessage = Extract<MessageToThread, { type: 'files' | 'stop' }>

/** One list of files: what was sent of it, and what came back. */
class Run {
  readonly #files: readonly UpstreamFile[]
  readonly #mirrors: Mirrors
  readonly #post: (message: DistributiveOmit<RunMessage, 'run'>) => void
  #outcomes: OutcomeMessage[] = []
  #nextOutcome = 0
  #sent = 0
  #taken = 0
  /** Slices that the thread asked for and that must wait. */
  #owed = 0
  #end: { readonly failure: { readonly error: unknown } | null } | null = null
  #isStopped = false
  #wake: (() => void) | null = null

  constructor(
    files: readonly UpstreamFile[],
    mirrors: Mirrors,
    post: (message: DistributiveOmit<RunMessage, 'run'>) => void,
  ) {
    this.#files = files
    this.#mirrors = mirrors
    this.#post = post
  }

  wantMore(): void {
    this.#owed += 1
    this.#sendOwed()
  }

  add(outcomes: readonly OutcomeMessage[]): void {
    // What was taken is let go; a run has tens of thousands of them.
    this.#outcomes = [...this.#outcomes.slice(this.#nextOutcome), ...outcomes]
    this.#nextOutcome = 0
    this.wake()
  }

  end(mirrors: ReturnType<Mirrors['state']>, error: Error | null): void {
    this.#mirrors.adopt(mirrors)
    this.#end ??= { failure: error && { error } }
    this.wake()
  }

  fail(error: unknown): void {
    this.#end ??= { failure: { error } }
    this.wake()
  }

  wake(): void {
    this.#wake?.()
  }

  /** The next outcome; `null` after the last. @throws what ended the run; the signal's reason */
  async next(signal: AbortSignal): Promise<OutcomeMessage | null> {
    for (;;) {
      signal.throwIfAborted()
      const outcome = this.#outcomes[this.#nextOutcome]
      if (outcome) {
        this.#nextOutcome += 1
        this.#taken += 1
        if (this.#owed > 0) this.#sendOwed()
        return outcome
      }
      if (this.#end?.failure) throw this.#end.failure.error
      if (this.#end) return null
      await this.#change()
    }
  }

  /** Ends the run, if it has not ended. @returns the outcomes that nobody takes any more */
  async stop(): Promise<readonly OutcomeMessage[]> {
    if (!this.#end) {
      this.#isStopped = true
      this.#post({ type: 'stop' })
    }
    while (!this.#end) await this.#change()
    return this.#outcomes.slice(this.#nextOutcome)
  }

  async #change(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#wake = resolve
    })
    this.#wake = null
  }

  #sendOwed(): void {
    while (this.#owed > 0 && !this.#isStopped && this.#sent - this.#taken < aheadFiles) {
      this.#owed -= 1
      const start = this.#sent
      this.#sent = Math.min(this.#files.length, start + sliceFiles)
      const files = this.#files.slice(start, this.#sent)
      this.#post({
        type: 'files',
        files: files.map((file, index) => fileMessage(file, start + index)),
        isLast: this.#sent === this.#files.length,
      })
    }
  }
}

type DistributiveOmit<Union, Key extends PropertyKey> = Union extends unknown ? Omit<Union, Key> : never
