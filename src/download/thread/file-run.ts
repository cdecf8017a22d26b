import type { UpstreamFile } from '../../core/model.ts'
import type { Mirrors, MirrorsState } from '../mirrors.ts'
import {
  fileMessage,
  type MessageFromThread,
  type MessageToThread,
  type OutcomeMessage,
  type Port,
} from './messages.ts'

/** Files in one message. */
const sliceFiles = 250
/** Files that the thread may be ahead of whoever takes the outcomes. They are on disk, and wait there for their names. */
const aheadFiles = 4000

/** One list of files: what was sent of it, and what came back. */
export class FileRun {
  readonly #id: number
  readonly #files: readonly UpstreamFile[]
  readonly #mirrors: Mirrors
  readonly #port: Port<MessageFromThread, MessageToThread>
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
    id: number,
    files: readonly UpstreamFile[],
    mirrors: Mirrors,
    port: Port<MessageFromThread, MessageToThread>,
  ) {
    this.#id = id
    this.#files = files
    this.#mirrors = mirrors
    this.#port = port
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

  end(mirrors: MirrorsState, error: Error | null): void {
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
      this.#port.post({ type: 'stop', run: this.#id })
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
      this.#port.post({
        type: 'files',
        run: this.#id,
        files: files.map((file, index) => fileMessage(file, start + index)),
        isLast: this.#sent === this.#files.length,
      })
    }
  }
}
