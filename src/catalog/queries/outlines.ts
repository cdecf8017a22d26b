import type { JsonObject } from '../../core/brand.ts'
import type { PackageKey, PackageOutline, RepositoryId, Revision } from '../../core/model.ts'
import type { Session } from '../engine.ts'
import { pageRows, visibleIn } from './packages.ts'
import { repositoryKey } from './repository-key.ts'

/** In key order, a page at a time. */
export async function* streamOutlines(
  session: Session,
  revision: Revision,
): AsyncGenerator<readonly PackageOutline[]> {
  const repository = await repositoryKey(session, revision.repository)
  if (repository === null) return
  let after: PackageKey | null = null
  while (true) {
    const last: PackageKey | null = after
    const rows = await session.db
      .selectFrom('package')
      .select(['key', 'name', 'version', 'architecture', 'identity', 'attributes', 'added_in'])
      .where('repository', '=', repository)
      .where(visibleIn(revision.number))
      .$if(last !== null, (page) => page.where('key', '>', last))
      .orderBy('key')
      .limit(pageRows)
      .execute()
    const end = rows.at(-1)
    if (end) yield rows.map((row) => new Outline(revision.repository, row))
    if (!end || rows.length < pageRows) return
    after = end.key
  }
}

interface OutlineRow extends Omit<PackageOutline, 'repository' | 'attributes' | 'addedIn'> {
  readonly attributes: string
  readonly added_in: number
}

class Outline implements PackageOutline {
  readonly repository: RepositoryId
  readonly key: PackageKey
  readonly name: string
  readonly version: string
  readonly architecture: string | null
  readonly identity: string
  readonly addedIn: number
  readonly #text: string
  #attributes: JsonObject | null = null

  constructor(repository: RepositoryId, row: OutlineRow) {
    this.repository = repository
    this.key = row.key
    this.name = row.name
    this.version = row.version
    this.architecture = row.architecture
    this.identity = row.identity
    this.addedIn = row.added_in
    this.#text = row.attributes
  }

  /** Parsed when it is asked for: many never are. */
  get attributes(): JsonObject {
    this.#attributes ??= JSON.parse(this.#text) as JsonObject
    return this.#attributes
  }
}
