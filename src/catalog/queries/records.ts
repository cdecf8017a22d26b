import type { PackageKey, Revision } from '../../core/model.ts'
import type { Session } from '../engine.ts'
import { decodeChunk, decodedSize } from '../record-chunk.ts'
import { known, visibleIn } from './packages.ts'
import { repositoryKey } from './repository-key.ts'

/** Decompressed bytes kept: chunks are in key order only within what was added together. */
const maxCachedBytes = 64 * 1024 ** 2
/** Chunks asked for and decompressed together. */
const chunksAhead = 4
/** Rows read at a time: three small columns. */
const pageRows = 4000

/** One part of every package's native record, in key order; `null` for a package without it. */
export async function* streamRecords(
  session: Session,
  revision: Revision,
  part: string,
): AsyncGenerator<{ readonly key: PackageKey; readonly bytes: Uint8Array | null }> {
  const repository = await repositoryKey(session, revision.repository)
  if (repository === null) return
  const chunks = new ChunkCache(session)
  let after: PackageKey | null = null
  while (true) {
    const last: PackageKey | null = after
    const rows = await session.db
      .selectFrom('package')
      .leftJoin('package_record', (join) =>
        join.onRef('package_record.package', '=', 'package.pk').on('package_record.part', '=', part),
      )
      .select(['key', 'chunk', 'position'])
      .where('repository', '=', repository)
      .where(visibleIn(revision.number))
      .$if(last !== null, (page) => page.where('key', '>', last))
      .orderBy('key')
      .limit(pageRows)
      .execute()
    for (const [index, { key, chunk, position }] of rows.entries()) {
      if (chunk === null || position === null) {
        yield { key, bytes: null }
        continue
      }
      const cached = chunks.cached(chunk)
      const fragments = cached ?? (await chunks.read(distinct(rows, index)))
      yield { key, bytes: known(fragments[position]) }
    }
    const end = rows.at(-1)
    if (!end || rows.length < pageRows) return
    after = end.key
  }
}

/** The chunks of the rows from `start` on, each once, in order. */
function* distinct(rows: readonly { readonly chunk: number | null }[], start: number): Generator<number> {
  const seen = new Set<number>()
  for (let index = start; index < rows.length; index++) {
    const chunk = rows[index]?.chunk ?? null
    if (chunk === null || seen.has(chunk)) continue
    seen.add(chunk)
    yield chunk
  }
}

interface CachedChunk {
  readonly pending: Promise<readonly Uint8Array[]>
  fragments: readonly Uint8Array[] | null
  /** Decompressed. */
  readonly bytes: number
}

/** Decompressed chunks, the least recently used forgotten first. */
class ChunkCache {
  readonly #session: Session
  readonly #chunks = new Map<number, CachedChunk>()
  #bytes = 0
  #latest: number | null = null

  constructor(session: Session) {
    this.#session = session
  }

  /** `null` where it is not there, or not yet. */
  cached(pk: number): readonly Uint8Array[] | null {
    const chunk = this.#chunks.get(pk)
    if (!chunk?.fragments) return null
    if (this.#latest !== pk) this.#use(pk, chunk)
    return chunk.fragments
  }

  /** The first of `wanted`, while those that follow are decompressed in the thread pool. */
  async read(wanted: Iterable<number>): Promise<readonly Uint8Array[]> {
    const [first, ...others] = take(wanted, chunksAhead)
    if (first === undefined) throw new Error('no chunk is asked for')
    if (!this.#chunks.has(first)) await this.#load([first, ...others].filter((pk) => !this.#chunks.has(pk)))
    const chunk = known(this.#chunks.get(first))
    chunk.fragments = await chunk.pending
    this.#use(first, chunk)
    this.#forget()
    return chunk.fragments
  }

  #use(pk: number, chunk: CachedChunk): void {
    this.#latest = pk
    this.#chunks.delete(pk)
    this.#chunks.set(pk, chunk)
  }

  async #load(missing: readonly number[]): Promise<void> {
    const rows = await this.#session.db
      .selectFrom('record_chunk')
      .select(['pk', 'data'])
      .where('pk', 'in', missing)
      .execute()
    for (const { pk, data } of rows) {
      const pending = decodeChunk(data)
      // Whoever needs it awaits it; one that nobody comes to need must not end the process.
      pending.catch(() => {})
      const bytes = decodedSize(data)
      this.#chunks.set(pk, { pending, fragments: null, bytes })
      this.#bytes += bytes
    }
  }

  #forget(): void {
    for (const [pk, { bytes }] of this.#chunks) {
      if (this.#bytes <= maxCachedBytes || pk === this.#latest) return
      this.#chunks.delete(pk)
      this.#bytes -= bytes
    }
  }
}

function take(items: Iterable<number>, count: number): readonly number[] {
  const taken: number[] = []
  for (const item of items) {
    taken.push(item)
    if (taken.length === count) break
  }
  return taken
}
