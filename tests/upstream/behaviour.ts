/** How an upstream answers one path. Without one it serves the file as a good web server does. */
export type Behaviour = BehaviourKind & {
  /** How many requests it holds for; then the next one given counts, or the good server. Default: for ever. */
  readonly times?: number
}

type BehaviourKind =
  /** A bare status: 404, 403, 429 with `retry-after`, 500. */
  | { readonly kind: 'status'; readonly status: number; readonly headers?: Readonly<Record<string, string>> }
  /** Status 200 and an HTML page, as captive portals and login walls do. */
  | { readonly kind: 'page' }
  /** Other bytes than the file's: wrong ones, or too many or few. */
  | { readonly kind: 'content'; readonly body: string | Uint8Array }
  /** Cuts the connection after `after` bytes of the body, though more was announced; `chunked` announces no length. */
  | { readonly kind: 'truncated'; readonly after: number; readonly chunked?: boolean }
  /** Sends `after` bytes of the body, then nothing, and keeps the connection. */
  | { readonly kind: 'stalled'; readonly after: number }
  /** Says every 10 ms that it is working on it (102); after so many `answers` it serves the file. */
  | { readonly kind: 'working'; readonly answers: number }
  /** Never answers at all. */
  | { readonly kind: 'silent' }
  /** Sends `bytes` at a time with a pause between. */
  | { readonly kind: 'slow'; readonly bytes: number; readonly pauseMs: number }
  /** Sends without a length and without an end. */
  | { readonly kind: 'endless' }
  /** Announces no length: chunked. */
  | { readonly kind: 'chunked' }
  | { readonly kind: 'redirect'; readonly to: string | URL; readonly status?: number }
  /** The file as it is, with `Content-Encoding: gzip`, as servers add to `.gz` files. */
  | { readonly kind: 'gzip-encoding' }
  /** Ignores `Range` and answers 200. */
  | { readonly kind: 'no-ranges' }
  /** Answers a range other than the one asked for. */
  | { readonly kind: 'wrong-range' }
  /** Answers every range with 416. */
  | { readonly kind: 'unsatisfiable-range' }

/** Behaviours of paths, which may change at any time. */
export class Behaviours {
  readonly #byPath = new Map<string, { readonly behaviour: Behaviour; left: number }[]>()

  /** Replaces what `path` does. Several follow one another, each after its `times`; none makes it good again. */
  set(path: string, ...behaviours: readonly Behaviour[]): void {
    this.#byPath.set(
      path,
      behaviours.map((behaviour) => ({ behaviour, left: behaviour.times ?? Number.POSITIVE_INFINITY })),
    )
  }

  /** What counts for the next request of `path`. */
  next(path: string): Behaviour | null {
    const [current] = (this.#byPath.get(path) ?? this.#byPath.get('*') ?? []).filter(
      (entry) => entry.left > 0,
    )
    if (!current) return null
    current.left -= 1
    return current.behaviour
  }
}
