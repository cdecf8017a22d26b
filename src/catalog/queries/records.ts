import { giveBack } from '../../core/bytes.ts'
import type { PackageKey, RecordTerms, Revision } from '../../core/model.ts'
import type { Session } from '../engine.ts'
import { type DecodedChunk, decodeChunk, decodedSize } from '../record-chunk.ts'
import { keyPages } from './key-pages.ts'
import { known, maybeMatches, visibleIn } from './packages.ts'
import { repositoryKey } from './repository-key.ts'

/** Decompressed bytes kept: chunks are in key order only within what was added together. */
const maxCachedBytes = 64 * 1024 ** 2
/** Records after which a chunk that none of them came from is most likely done with. */
const idleRecords = 2000
/** Chunks read together, where one is missing. */
const chunksAhead = 4
/** Rows read at a time: three small columns. */
const pageRows = 4000

/** One part of every package's native record, in key order; `null` for a package without it. */
export async function* streamRecords(
  session: Session,
  revision: Revision,
  part: string,
  { areBorrowed = false, among }: RecordTerms = {},
): AsyncGenerator<{ readonly key: PackageKey; readonly bytes: Uint8Array | null }> {
  const repository = await repositoryKey(session, revision.repository)
  if (repository === null) return
  using chunks = new ChunkCache(session, areBorrowed)
  const wanted = { repository, number: revision.number, part }
  const pages = among ? pagesOf(session, wanted, among) : allPages(session, wanted)
  for await (const rows of pages) {
    for (const [index, { key, chunk, position }] of rows.entries()) {
      if (chunk === null || position === null) {
        yield { key, bytes: null }
        continue
      }
      const decoded = chunks.latest(chunk) ?? (await chunks.read(chunk, distinctChunks(rows, index)))
      yield { key, bytes: decoded.fragment(position) }
    }
  }
}

interface WantedRecords {
  readonly repository: number
  readonly number: number
  readonly part: string
}

function allPages(session: Session, wanted: WantedRecords) {
  return keyPages((after) =>
    placedRecords(session, wanted)
      .$if(after !== null, (page) => page.where('key', '>', after))
      .limit(pageRows)
      .execute(),
  )
}

async function* pagesOf(session: Session, wanted: WantedRecords, pages: Iterable<readonly PackageKey[]>) {
  for (const among of pages)
    yield await placedRecords(session, wanted).where(maybeMatches({ among }, session.engine)).execute()
}

/** Where the records of the packages lie, in key order. */
function placedRecords({ db }: Session, { repository, number, part }: WantedRecords) {
  return db
    .selectFrom('package')
    .leftJoin('package_record', (join) =>
      join.onRef('package_record.package', '=', 'package.pk').on('package_record.part', '=', part),
    )
    .select(['key', 'chunk', 'position'])
    .where('repository', '=', repository)
    .where(visibleIn(number))
    .orderBy('key')
}

/** The chunks of the rows from `start` on, each once, in order. */
export function* distinctChunks(
  rows: readonly { readonly chunk: number | null }[],
  start: number,
): Generator<number> {
  const seen = new Set<number>()
  for (let index = start; index < rows.length; index++) {
    const chunk = rows[index]?.chunk ?? null
    if (chunk === null || seen.has(chunk)) continue
    seen.add(chunk)
    yield chunk
  }
}

interface CachedChunk {
  /** Compressed, until it is read. */
  content: Uint8Array | DecodedChunk
  /** Decompressed. */
  readonly bytes: number
  /** As the count of records was then. */
  usedAt: number
}

/** Decompressed chunks, the least recently used forgotten first, and those that are needed next. */
export class ChunkCache implements Disposable {
  readonly #session: Session
  readonly #areBorrowed: boolean
  readonly #chunks = new Map<number, CachedChunk>()
  #bytes = 0
  #records = 0
  #latest: { readonly pk: number; readonly decoded: DecodedChunk } | null = null

  constructor(session: Session, areBorrowed: boolean) {
    this.#session = session
    this.#areBorrowed = areBorrowed
  }

  /** Asked for each record: the chunk that was read last; `null` where that is another one. */
  latest(pk: number): DecodedChunk | null {
    this.#records += 1
    return this.#latest?.pk === pk ? this.#latest.decoded : null
  }

  /** @param next the chunk itself and those after it, which are read from the catalog together */
  async read(pk: number, next: Iterable<number>): Promise<DecodedChunk> {
    if (!this.#chunks.has(pk))
      await this.#load(take(next, chunksAhead).filter((each) => !this.#chunks.has(each)))
    const chunk = known(this.#chunks.get(pk))
    this.#chunks.delete(pk)
    this.#chunks.set(pk, chunk)
    chunk.usedAt = this.#records
    const decoded = decodedOf(chunk)
    this.#latest = { pk, decoded }
    this.#forget()
    return decoded
  }

  [Symbol.dispose](): void {
    if (!this.#areBorrowed) return
    for (const chunk of this.#chunks.values()) forget(chunk)
  }

  async #load(missing: readonly number[]): Promise<void> {
    const rows = await this.#session.db
      .selectFrom('record_chunk')
      .select(['pk', 'data'])
      .where('pk', 'in', missing)
      .execute()
    for (const { pk, data } of rows) {
      const bytes = decodedSize(data)
      this.#chunks.set(pk, { content: data, bytes, usedAt: this.#records })
      this.#bytes += bytes
    }
  }

  #forget(): void {
    for (const [pk, chunk] of this.#chunks) {
      const isIdle = this.#records - chunk.usedAt > idleRecords
      if ((this.#bytes <= maxCachedBytes && !isIdle) || pk === this.#latest?.pk) return
      this.#chunks.delete(pk)
      this.#bytes -= chunk.bytes
      if (this.#areBorrowed) forget(chunk)
    }
  }
}

function decodedOf(chunk: CachedChunk): DecodedChunk {
  const { content } = chunk
  if (!(content instanceof Uint8Array)) return content
  const decoded = decodeChunk(content)
  // A driver may have cut several rows out of what it received at once.
  if (content.byteLength === content.buffer.byteLength) giveBack(content)
  chunk.content = decoded
  return decoded
}

function forget({ content }: CachedChunk): void {
  if (!(content instanceof Uint8Array)) content.forget()
}

function take(items: Iterable<number>, count: number): readonly number[] {
  const taken: number[] = []
  for (const item of items) {
    taken.push(item)
    if (taken.length === count) break
  }
  return taken
}
