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
import { FileRun } from './file-run.ts'
import {
  accessMessage,
  errorOf,
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

/**
 * Downloads long lists of files in a second thread: most of the work is system calls and hashes, which leave the first one free to
 * name what arrived and to record it. The bounds of requests stay with the first, which lends from them.
 */
export class DownloadThread implements AsyncDisposable {
  readonly #options: ThreadOptions
  readonly #pool: Pool
  readonly #reporter: Reporter
  readonly #admission: SharedAdmission
  readonly #runs = new Map<number, FileRun>()
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
    const run = new FileRun(id, files, mirrors, port)
    this.#runs.set(id, run)
    const ticket = onAbort(signal, () => run.wake())
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
      offAbort(signal, ticket)
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
    // Of a thread that is gone: the next one counts its requests anew.
    if (this.#started !== started) return
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
