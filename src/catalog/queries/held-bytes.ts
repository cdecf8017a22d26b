import type { EcosystemId } from '../../core/model.ts'
import type { Session } from '../engine.ts'

/** What distinct blobs take. `own` are those that no other repository's rows name. */
export interface HeldBytes {
  readonly byRepository: ReadonlyMap<number, { readonly held: number; readonly own: number }>
  readonly byEcosystem: ReadonlyMap<EcosystemId, number>
}

const pageBlobs = 1000

/** Of every row that names a blob, kept revision or not: what would be freed once it is gone. A page of blobs at a time. */
export async function readHeldBytes({ db }: Session): Promise<HeldBytes> {
  const repositories = await db.selectFrom('repository').select(['pk', 'ecosystem']).execute()
  const ecosystemOf = new Map(repositories.map(({ pk, ecosystem }) => [pk, ecosystem]))
  const byRepository = new Map(repositories.map(({ pk }) => [pk, { held: 0, own: 0 }]))
  const byEcosystem = new Map<EcosystemId, number>()
  let after = 0
  while (true) {
    const last = after
    const users = await db
      .with('page', (cte) =>
        cte.selectFrom('blob').select(['pk', 'size']).where('pk', '>', last).orderBy('pk').limit(pageBlobs),
      )
      .selectFrom((from) =>
        from
          .selectFrom('page')
          .innerJoin('package_file', 'package_file.blob', 'page.pk')
          .innerJoin('package', 'package.pk', 'package_file.package')
          .select(['page.pk', 'page.size', 'package.repository'])
          .union(
            from
              .selectFrom('page')
              .innerJoin('repository_file', 'repository_file.blob', 'page.pk')
              .select(['page.pk', 'page.size', 'repository_file.repository']),
          )
          .as('used'),
      )
      .select(['pk', 'size', 'repository'])
      .orderBy('pk')
      .execute()
    for (const uses of Map.groupBy(users, ({ pk }) => pk).values()) {
      const ecosystems = new Set<EcosystemId>()
      for (const { repository, size } of uses) {
        const bytes = byRepository.get(repository)
        if (bytes) {
          bytes.held += size
          if (uses.length === 1) bytes.own += size
        }
        const ecosystem = ecosystemOf.get(repository)
        if (ecosystem !== undefined) ecosystems.add(ecosystem)
      }
      const size = uses[0]?.size ?? 0
      for (const ecosystem of ecosystems) byEcosystem.set(ecosystem, (byEcosystem.get(ecosystem) ?? 0) + size)
    }
    const end = await lastOfPage({ db }, after)
    if (end === null) return { byRepository, byEcosystem }
    after = end
  }
}

/** The key of the last blob of a full page; `null` where that page is the last. */
async function lastOfPage({ db }: Pick<Session, 'db'>, after: number): Promise<number | null> {
  const row = await db
    .selectFrom('blob')
    .select('pk')
    .where('pk', '>', after)
    .orderBy('pk')
    .limit(1)
    .offset(pageBlobs - 1)
    .executeTakeFirst()
  return row?.pk ?? null
}
