import type { EcosystemId } from '../../core/model.ts'
import { type CatalogFlaw, maxFlaws } from '../catalog-reader.ts'
import type { Session } from '../engine.ts'
import { brokenIntervals } from './interval-flaws.ts'
import { missingRecords, wrongChunks } from './record-flaws.ts'
import { brokenReferences } from './reference-flaws.ts'
import { repositoriesToCheck } from './repositories.ts'
import { wrongRevisions } from './revision-flaws.ts'

export async function* findFlaws(
  session: Session,
  requiredParts: ReadonlyMap<EcosystemId, readonly string[]>,
): AsyncGenerator<CatalogFlaw> {
  const found = new Map<CatalogFlaw['check'], number>()
  for await (const flaw of searchFlaws(session, requiredParts)) {
    const count = (found.get(flaw.check) ?? 0) + 1
    found.set(flaw.check, count)
    if (count <= maxFlaws) yield flaw
  }
}

/** One repository at a time: what the database sorts for a query is one repository's. */
async function* searchFlaws(
  session: Session,
  requiredParts: ReadonlyMap<EcosystemId, readonly string[]>,
): AsyncGenerator<CatalogFlaw> {
  yield* brokenReferences(session)
  yield* wrongChunks(session)
  for (const repository of await repositoriesToCheck(session)) {
    yield* brokenIntervals(session, repository)
    yield* wrongRevisions(session, repository)
    yield* missingRecords(session, repository, requiredParts.get(repository.ecosystem) ?? [])
  }
}
