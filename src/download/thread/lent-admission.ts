import type { Admission } from '../admission.ts'
import { offAbort, onAbort } from '../on-abort.ts'
import { HostPauses, type Wait } from '../retry.ts'
import { HostSlots } from '../slots.ts'
import type { MessageFromThread, MessageToThread, Port } from './messages.ts'

/** In milliseconds: how often the other thread is asked whether somebody there waits for what is lent. */
const holdMs = 250

interface Loan {
  readonly request: number
  readonly host: string
  /** When it was lent, or its owner was asked last. */
  askedAt: number
  isRecalled: boolean
}

/**
 * The admission of the thread that downloads. The other one owns the bounds and lends from them: a loan is one request to a host at a
 * time, and serves many that follow each other without a pause. Nobody here waits for an answer meanwhile: the other thread may be
 * busy for a while.
 */
export class LentAdmission {
  readonly #port: Port<MessageToThread, MessageFromThread>
  readonly #now: () => number
  readonly #wait: Wait
  readonly #pauses: HostPauses
  readonly #idle = new Map<string, Loan[]>()
  readonly #waiting = new Map<number, () => void>()
  /** Those that the other thread was asked about. */
  readonly #held = new Map<number, Loan>()
  #requests = 0

  constructor(
    port: Port<MessageToThread, MessageFromThread>,
    { now, wait }: { now: () => number; wait: Wait },
  ) {
    this.#port = port
    this.#now = now
    this.#wait = wait
    this.#pauses = new HostPauses(now)
  }

  /** As `SharedAdmission.within`: a repository's own bound is kept here, by whoever has its requests. */
  within(perHost: number): Admission {
    const own = new HostSlots(perHost)
    return {
      enter: async (host, signal) => {
        const slots = own.of(host)
        if (!slots.tryAcquire()) await slots.acquire(signal)
        try {
          const loan = await this.#borrow(host, signal)
          return once(() => {
            this.#release(loan)
            slots.release()
          })
        } catch (error) {
          slots.release()
          throw error
        }
      },
      pause: (host, ms) => {
        this.#pauses.pause(host, ms)
        this.#port.post({ type: 'paused', host, ms })
      },
      remainingMs: (host) => this.#pauses.remainingMs(host),
    }
  }

  /** The other thread's answer. */
  lend(request: number): void {
    const take = this.#waiting.get(request)
    this.#waiting.delete(request)
    if (!take) throw new Error(`lent what nobody asked for: ${request}`)
    take()
  }

  /** The other thread's answer, if somebody waits there. */
  recall(request: number): void {
    const loan = this.#held.get(request)
    if (loan) loan.isRecalled = true
  }

  async #borrow(host: string, signal: AbortSignal): Promise<Loan> {
    const pauseMs = this.#pauses.remainingMs(host)
    if (pauseMs > 0) await this.#wait(pauseMs, signal)
    signal.throwIfAborted()
    const idle = this.#idle.get(host)?.pop()
    if (idle) return idle
    this.#requests += 1
    const request = this.#requests
    this.#port.post({ type: 'wanted', request, host })
    return new Promise((resolve, reject) => {
      const giveUp = () => {
        // What comes now goes back.
        this.#waiting.set(request, () => this.#return(request))
        reject(signal.reason)
      }
      const ticket = onAbort(signal, giveUp)
      this.#waiting.set(request, () => {
        offAbort(signal, ticket)
        resolve({ request, host, askedAt: this.#now(), isRecalled: false })
      })
    })
  }

  #release(loan: Loan): void {
    if (loan.isRecalled) {
      this.#return(loan.request)
      return
    }
    const { host, request } = loan
    const now = this.#now()
    if (now - loan.askedAt >= holdMs) {
      loan.askedAt = now
      this.#held.set(request, loan)
      this.#port.post({ type: 'held', request })
    }
    const idle = this.#idle.get(host) ?? []
    this.#idle.set(host, idle)
    idle.push(loan)
    // The next request of a run begins before that, if there is one.
    if (idle.length === 1) setImmediate(() => this.#returnIdle(host))
  }

  #returnIdle(host: string): void {
    for (const loan of this.#idle.get(host)?.splice(0) ?? []) this.#return(loan.request)
  }

  #return(request: number): void {
    this.#held.delete(request)
    this.#port.post({ type: 'returned', request })
  }
}

function once(work: () => void): () => void {
  let isDone = false
  return () => {
    if (!isDone) work()
    isDone = true
  }
}
