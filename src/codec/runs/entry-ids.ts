/** Bytes of an entry's id: enough that two are never alike by chance. */
export const entryIdBytes = 16
/** Ids in a line of text. */
const lineIds = 1000

/** Some entries of a document, one after another. */
export interface EntryPage {
  readonly keys: readonly string[]
  /** Their ids, {@link entryIdBytes} each. */
  readonly ids: Buffer
}

/** The entries of a document in order, by ids: equal ids say that the entries have equal bytes. Tens of thousands, as bytes. */
export class EntryIds {
  #bytes: Buffer
  #length = 0
  /** Position + 1 by the first bytes of an id, or after it; 0 is free. */
  #table: Int32Array | null = null

  constructor(bytes: Buffer = Buffer.alloc(0)) {
    this.#bytes = bytes
    this.#length = Math.floor(bytes.byteLength / entryIdBytes)
  }

  /** @throws Error where a line is not one of {@link lines} */
  static parse(lines: readonly string[]): EntryIds {
    const bytes = Buffer.concat(lines.map((line) => Buffer.from(line, 'base64')))
    if (bytes.byteLength % entryIdBytes !== 0) throw new Error('entry ids are cut off')
    return new EntryIds(bytes)
  }

  get length(): number {
    return this.#length
  }

  add({ ids }: EntryPage, index: number, count = 1): void {
    const start = this.#length * entryIdBytes
    const end = start + count * entryIdBytes
    if (end > this.#bytes.byteLength) {
      const larger = Buffer.alloc(Math.max(end, start * 2, lineIds * entryIdBytes))
      larger.set(this.#bytes)
      this.#bytes = larger
    }
    ids.copy(this.#bytes, start, index * entryIdBytes, (index + count) * entryIdBytes)
    this.#length += count
    this.#table = null
  }

  /** Whether entries of a page are those at `position` and after it. */
  hasAt(position: number, { ids }: EntryPage, index: number, count: number): boolean {
    const [own, others] = [position * entryIdBytes, index * entryIdBytes]
    const bytes = count * entryIdBytes
    if (others + bytes > ids.byteLength || position + count > this.#length) return false
    return this.#bytes.compare(ids, others, others + bytes, own, own + bytes) === 0
  }

  equals(other: EntryIds): boolean {
    const end = this.#length * entryIdBytes
    return this.#length === other.#length && this.#bytes.compare(other.#bytes, 0, end, 0, end) === 0
  }

  /** The first position of an entry's id; -1 where it is not among them. */
  find({ ids }: EntryPage, index: number): number {
    this.#table ??= this.#makeTable()
    const table = this.#table
    const mask = table.length - 1
    const start = index * entryIdBytes
    for (let slot = slotOf(ids, start) & mask; ; slot = (slot + 1) & mask) {
      const position = (table[slot] ?? 0) - 1
      if (position < 0 || this.#isAt(position, ids, start)) return position
    }
  }

  /** Base64. */
  *lines(): Generator<string> {
    const end = this.#length * entryIdBytes
    const step = lineIds * entryIdBytes
    for (let start = 0; start < end; start += step)
      yield this.#bytes.toString('base64', start, Math.min(start + step, end))
  }

  #makeTable(): Int32Array {
    let size = 16
    while (size < this.#length * 2) size *= 2
    const table = new Int32Array(size)
    const mask = size - 1
    for (let position = 0; position < this.#length; position++) {
      let slot = slotOf(this.#bytes, position * entryIdBytes) & mask
      while (table[slot] !== 0) slot = (slot + 1) & mask
      table[slot] = position + 1
    }
    return table
  }

  #isAt(position: number, ids: Uint8Array, start: number): boolean {
    const own = position * entryIdBytes
    for (let offset = 0; offset < entryIdBytes; offset++)
      if (this.#bytes[own + offset] !== ids[start + offset]) return false
    return true
  }
}

function slotOf(bytes: Uint8Array, start: number): number {
  return (
    (bytes[start] ?? 0) |
    ((bytes[start + 1] ?? 0) << 8) |
    ((bytes[start + 2] ?? 0) << 16) |
    ((bytes[start + 3] ?? 0) << 24)
  )
}
