import type { Reporter } from '../../core/events.ts'
import type { Pool } from '../../pool/pool.ts'
import { OriginCredentials } from '../credentials.ts'
import type { DownloadOutcome } from '../downloader.ts'
import { Mirrors } from '../mirrors.ts'
import { Connections } from '../proxy.ts'
import { type Wait, waitByTimer } from '../retry.ts'
import { HttpUpstreamClient } from '../upstream-client.ts'
import { LentAdmission } from './lent-admission.ts'
import {
  accessOf,
  type ClientMessage,
  errorMessage,
  type FileMessage,
  type MessageFromThread,
  type MessageToThread,
  type OutcomeMessage,
  type Port,
  RequestedFile,
} from './messages.ts'

export interface DownloadService {
  readonly port: Port<MessageToThread, MessageFromThread>
  /** The same files as the other thread's pool. */
  readonly pool: Pool
  readonly concurrency: number
  readonly userAgent: string
  /** As of `DownloaderOptions`. */
  readonly now?: () => number
  readonly random?: () => number
  readonly wait?: Wait
}

/** Downloads what the thread at the other end of the port asks for, until that ends this one. */
export function serveDownloads(service: DownloadService): void {
  const { now = Date.now, random = Math.random, wait = waitByTimer, ...given } = service
  const { port } = given
  const shared: Shared = {
    ...{ ...given, now, random, wait },
    reporter: { report: (event) => port.post({ type: 'event', event }) },
    connections: new Connections(),
    admission: new LentAdmission(port, { now, wait }),
    broken: new Map(),
  }
  const runs = new Map<number, Run>()
  port.onMessage((message) => {
    switch (message.type) {
      case 'run': {
        const run = new Run(shared, message.run, message.client)
        runs.set(message.run, run)
        void run.work().then(() => runs.delete(message.run))
        break
      }
      case 'files':
        runs.get(message.run)?.files.add(message.files, message.isLast)
        break
      case 'stop':
        runs.get(message.run)?.stop()
        break
      case 'lent':
        shared.admission.lend(message.request)
        break
      case 'recalled':
        shared.admission.recall(message.request)
    }
  })
}

/** What all runs have in common. */
interface Shared extends Required<DownloadService> {
  readonly reporter: Reporter
  readonly connections: Connections
  readonly admission: LentAdmission
  readonly broken: Map<string, string>
}

class Run {
  readonly #shared: Shared
  readonly #id: number
  readonly #client: ClientMessage
  readonly #stop = new AbortController()
  readonly files: FileQueue

  constructor(shared: Shared, id: number, client: ClientMessage) {
    this.#shared = shared
    this.#id = id
    this.#client = client
    this.files = new FileQueue(() => shared.port.post({ type: 'more', run: id }))
  }

  stop(): void {
    this.#stop.abort(new Error('no longer wanted'))
    this.files.add([], true)
  }

  /** Never rejects: whatever happens, the other thread is told that the run has ended. */
  async work(): Promise<void> {
    const { port, pool, reporter } = this.#shared
    const access = accessOf(this.#client.access)
    const mirrors = new Mirrors([], access.repository, reporter)
    mirrors.adopt(this.#client.mirrors)
    const outcomes = new OutcomeBatch((batch) =>
      port.post({ type: 'outcomes', run: this.#id, outcomes: batch }),
    )
    let error: unknown = null
    try {
      await using client = this.#openClient(access, mirrors)
      for await (const outcome of client.fetchAll(this.files.read(), this.#stop.signal)) {
        if (!(outcome.file instanceof RequestedFile)) throw new Error(`of no request: ${outcome.file.path}`)
        outcomes.add(outcomeMessage(outcome, outcome.file.index, pool))
      }
    } catch (thrown) {
      if (!this.#stop.signal.aborted) error = thrown
    }
    outcomes.flush()
    port.post({
      type: 'ended',
      run: this.#id,
      mirrors: mirrors.state(),
      error: error === null ? null : errorMessage(error),
    })
  }

  #openClient(access: ReturnType<typeof accessOf>, mirrors: Mirrors): HttpUpstreamClient {
    const { pool, reporter, concurrency, userAgent, now, random, wait, connections, admission, broken } =
      this.#shared
    return new HttpUpstreamClient({
      access,
      mirrors,
      metalink: this.#client.metalink,
      requests: {
        access,
        credentials: new OriginCredentials(access),
        connections,
        admission: admission.within(access.limits.perHost),
        throttle: null,
        userAgent,
        wait,
        now,
      },
      pool,
      reporter,
      concurrency,
      random,
      broken,
      closing: this.#stop.signal,
      thread: null,
    })
  }
}

function outcomeMessage(outcome: DownloadOutcome, index: number, pool: Pool): OutcomeMessage {
  const { url } = outcome
  return outcome.ok
    ? { index, url, blob: pool.handOver(outcome.blob) }
    : { index, url, error: errorMessage(outcome.error) }
}

/** Slices asked for before they are needed: the other thread may be busy for as long as a few of them take. */
const slicesAhead = 8

/** The run's files, which come in slices as they are asked for. */
class FileQueue {
  readonly #askForMore: () => void
  readonly #slices: (readonly FileMessage[])[] = []
  #asked = 0
  #isComplete = false
  #wake: (() => void) | null = null

  constructor(askForMore: () => void) {
    this.#askForMore = askForMore
  }

  add(files: readonly FileMessage[], isLast: boolean): void {
    this.#asked -= 1
    if (isLast) this.#isComplete = true
    this.#slices.push(files)
    this.#wake?.()
  }

  async *read(): AsyncGenerator<RequestedFile> {
    for (;;) {
      while (!this.#isComplete && this.#asked + this.#slices.length < slicesAhead) {
        this.#asked += 1
        this.#askForMore()
      }
      const slice = this.#slices.shift()
      if (slice) {
        for (const message of slice) yield new RequestedFile(message)
      } else if (this.#isComplete) {
        return
      } else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve
        })
        this.#wake = null
      }
    }
  }
}

/** Waking the other thread costs more than what it is told: several outcomes go together, none of them late. */
const batchOutcomes = 256
const batchMs = 50

class OutcomeBatch {
  readonly #send: (outcomes: readonly OutcomeMessage[]) => void
  #outcomes: OutcomeMessage[] = []
  #timer: NodeJS.Timeout | null = null

  constructor(send: (outcomes: readonly OutcomeMessage[]) => void) {
    this.#send = send
  }

  add(outcome: OutcomeMessage): void {
    this.#outcomes.push(outcome)
    if (this.#outcomes.length >= batchOutcomes) this.flush()
    else this.#timer ??= setTimeout(() => this.flush(), batchMs)
  }

  flush(): void {
    if (this.#timer) clearTimeout(this.#timer)
    this.#timer = null
    const outcomes = this.#outcomes
    this.#outcomes = []
    if (outcomes.length > 0) this.#send(outcomes)
  }
}
