import type { ProgressEvent, Reporter, Warning } from '../../core/events.ts'

/** Passes events on, and keeps the warnings for the result and for history: each once, however often upstream is read. */
export class WarningCollector implements Reporter {
  readonly collected: { readonly code: string; readonly message: string }[] = []
  readonly #next: Reporter
  readonly #repository: string
  readonly #known = new Set<string>()

  constructor(next: Reporter, repository: string) {
    this.#next = next
    this.#repository = repository
  }

  report(event: ProgressEvent): void {
    if (event.type !== 'warning') {
      this.#next.report(event)
      return
    }
    const warning: Warning = { ...event, repository: event.repository ?? this.#repository }
    const name = `${warning.code} ${warning.message}`
    if (this.#known.has(name)) return
    this.#known.add(name)
    this.collected.push({ code: warning.code, message: warning.message })
    this.#next.report(warning)
  }
}
