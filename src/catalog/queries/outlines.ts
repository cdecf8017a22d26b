import type { JsonObject } from '../../core/brand.ts'
import type { PackageKey, PackageOutline, RepositoryId, Revision } from '../../core/model.ts'
import type { Session } from '../engine.ts'
import { keyPages } from './key-pages.ts'
import { pageRows, visibleIn } from './packages.ts'
import { repositoryKey } from './repository-key.ts'

/** In key order, a page at a time. */
export async function* streamOutlines(
  session: Session,
  revision: Revision,
): AsyncGenerator<readonly PackageOutline[]> {
  const repository = await repositoryKey(session, revision.repository)
  if (repository === null) return
  const pages = keyPages((after) =>
    session.db
      .selectFrom('package')
      .select(['key', 'name', 'version', 'architecture', 'identity', 'attributes', 'added_in'])
      .where('repository', '=', repository)
      .where(visibleIn(revision.number))
      .$if(after !== null, (page) => page.where('key', '>', after))
      .orderBy('key')
      .limit(pageRows)
      .execute(),
  )
  for await (const rows of pages) yield rows.map((row) => new Outline(revision.repository, row))
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
