import type { PackageKey, RecordTerms } from '../../core/model.ts'

interface NativeEntry {
  readonly key: PackageKey
  readonly bytes: Uint8Array | null
}

/** The native records of the packages whose entries have to be made, in order, from one stream: what it has read ahead is not read again. */
export class MadeRecords implements AsyncDisposable {
  readonly #pages: (readonly PackageKey[])[] = []
  readonly #records: AsyncIterator<NativeEntry>

  /** @param areAll whether every package's is asked for, so that none need be named */
  constructor(records: (terms: RecordTerms) => AsyncIterable<NativeEntry>, areAll: boolean) {
    const terms = areAll ? { areBorrowed: true } : { areBorrowed: true, among: this.#wanted() }
    this.#records = records(terms)[Symbol.asyncIterator]()
  }

  /** Says which come next, before the first of them is asked for. */
  want(keys: readonly PackageKey[]): void {
    if (keys.length > 0) this.#pages.push(keys)
  }

  /**
   * The next one. It lasts until another is asked for.
   * @throws Error where that is another package's
   */
  async of(key: PackageKey): Promise<Uint8Array | null> {
    const { done, value } = await this.#records.next()
    if (done || value.key !== key) throw new Error(`${key} has no native record`)
    return value.bytes
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#records.return?.()
  }

  /** Asked for a page when one is there. */
  *#wanted(): Generator<readonly PackageKey[]> {
    for (let page = this.#pages.shift(); page; page = this.#pages.shift()) yield page
  }
}
