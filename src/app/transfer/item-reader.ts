import { ChantalError, isChantalError } from '../../core/errors.ts'
import type { ExportItem } from '../../transfer/export-schema.ts'
import type { PlacedItem } from '../../transfer/read-export.ts'

/** Items one after another, of which the next can be looked at: only that tells where a repository ends. */
export class ItemReader implements AsyncDisposable {
  readonly #items: AsyncIterator<PlacedItem>
  #next: PlacedItem | null = null
  #isDone = false

  constructor(items: AsyncIterable<PlacedItem>) {
    this.#items = items[Symbol.asyncIterator]()
  }

  async peek(): Promise<PlacedItem | null> {
    if (this.#next || this.#isDone) return this.#next
    const result = await this.#items.next()
    this.#isDone = result.done === true
    this.#next = result.done === true ? null : result.value
    return this.#next
  }

  async take(): Promise<PlacedItem | null> {
    const item = await this.peek()
    this.#next = null
    return item
  }

  /** What belongs to the repository that was taken last. */
  async *ofRepository(): AsyncGenerator<PlacedItem & { readonly item: OwnedItem }> {
    while (true) {
      const next = await this.peek()
      if (!next) return
      const { item } = next
      if (item.type === 'repository' || item.type === 'view_snapshot' || item.type === 'end') return
      this.#next = null
      yield { ...next, item }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#items.return?.()
  }
}

export type OwnedItem = Exclude<ExportItem, { readonly type: 'repository' | 'view_snapshot' | 'end' }>

/** What is wrong with an item, with its place. Paths and digests that cannot be are no more upstream's here. */
export function placed<T>(place: string, work: () => T): T {
  try {
    return work()
  } catch (error) {
    if (!isChantalError(error, 'IMPORT_INVALID', 'PATH_UNSAFE', 'DIGEST_INVALID')) throw error
    throw new ChantalError('IMPORT_INVALID', `${place}: ${error.message}`, {
      cause: error,
      details: { ...error.details, place },
    })
  }
}
