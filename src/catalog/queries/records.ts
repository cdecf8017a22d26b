import type { PackageKey, Revision, StoredPackage } from '../../core/model.ts'
import type { Session } from '../engine.ts'
import { decodeChunk } from '../record-chunk.ts'
import { known, packagesByRow, pageRows, visibleIn } from './packages.ts'
import { repositoryKey } from './repository-key.ts'

/** Decompressed bytes kept: chunks follow upstream's order, which is near key order but not it. */
const maxCachedBytes = 64 * 1024 ** 2

/** One part of every package's native record, in key order; packages without it are left out. */
export async function* streamRecords(
  session: Session,
  revision: Revision,
  part: string,
): AsyncGenerator<{ readonly package: StoredPackage; readonly bytes: Uint8Array }> {
  const repository = await repositoryKey(session, revision.repository)
  if (repository === null) return
  const chunks = new ChunkCache(session)
  let after: PackageKey | null = null
  while (true) {
    const last: PackageKey | null = after
    const rows = await session.db
      .selectFrom('package')
      .innerJoin('package_record', (join) =>
        join.onRef('package_record.package', '=', 'package.pk').on('package_record.part', '=', part),
      )
      .select(['pk', 'key', 'chunk', 'position'])
      .where('repository', '=', repository)
      .where(visibleIn(revision.number))
      .$if(last !== null, (page) => page.where('key', '>', last))
      .orderBy('key')
      .limit(pageRows)
      .execute()
    const details = await packagesByRow(
      session,
      rows.map(({ pk }) => pk),
    )
    for (const { pk, chunk, position } of rows) {
      const fragments = await chunks.get(chunk)
      yield { package: known(details.get(pk)), bytes: known(fragments[position]) }
    }
    const end = rows.at(-1)
    if (!end || rows.length < pageRows) return
    after = end.key
  }
}

/** Decompressed chunks, the least recently used forgotten first. */
class ChunkCache {
  readonly #session: Session
  readonly #chunks = new Map<number, { readonly fragments: readonly Uint8Array[]; readonly bytes: number }>()
  #bytes = 0

  constructor(session: Session) {
    this.#session = session
  }

  async get(pk: number): Promise<readonly Uint8Array[]> {
    const cached = this.#chunks.get(pk)
    if (cached) {
      this.#chunks.delete(pk)
      this.#chunks.set(pk, cached)
      return cached.fragments
    }
    const { data } = await this.#session.db
      .selectFrom('record_chunk')
      .select('data')
      .where('pk', '=', pk)
      .executeTakeFirstOrThrow()
    const fragments = decodeChunk(data)
    const bytes = fragments.reduce((sum, fragment) => sum + fragment.length, 0)
    this.#chunks.set(pk, { fragments, bytes })
    this.#bytes += bytes
    for (const [oldest, chunk] of this.#chunks) {
      if (this.#bytes <= maxCachedBytes || oldest === pk) break
      this.#chunks.delete(oldest)
      this.#bytes -= chunk.bytes
    }
    return fragments
  }
}
