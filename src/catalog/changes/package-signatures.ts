import type { PackageKey, Revision } from '../../core/model.ts'
import type { PackageSignature } from '../../core/package-signature.ts'
import type { Session } from '../engine.ts'
import { signatureColumns } from '../package-signature.ts'
import { visibleIn } from '../queries/packages.ts'
import { knownRepositoryKey } from '../queries/repository-key.ts'

const batchRows = 2000

/** A verdict is a note about a package and no part of a revision's content: the row keeps its revisions. */
export async function saveSignatures(
  session: Session,
  revision: Revision,
  signatures: ReadonlyMap<PackageKey, PackageSignature>,
): Promise<void> {
  const { db, engine } = session
  const repository = await knownRepositoryKey(session, revision.repository)
  const all = [...signatures].map(([key, signature]) => ({ key, ...signatureColumns(signature) }))
  const columns = { key: 'text', signature: 'text', signature_policy: 'text' } as const
  for (let start = 0; start < all.length; start += batchRows) {
    const verdicts = engine.rows(all.slice(start, start + batchRows), columns, 'verdict')
    await db
      .updateTable('package')
      .from(verdicts)
      .set(({ ref }) => ({
        signature: ref('verdict.signature'),
        signature_policy: ref('verdict.signature_policy'),
      }))
      .whereRef('package.key', '=', 'verdict.key')
      .where('package.repository', '=', repository)
      .where(visibleIn(revision.number))
      .execute()
  }
}
