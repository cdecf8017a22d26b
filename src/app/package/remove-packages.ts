import { ChantalError } from '../../core/errors.ts'
import type { Revision, StoredPackage } from '../../core/model.ts'
import type { AppContext, UseCase } from '../context.ts'
import { RevisionDraft } from '../sync/revision-draft.ts'
import { sealPlan } from '../sync/seal-plan.ts'
import { findPackages } from './find-packages.ts'
import { changeHosted, hostedRepository, recordChange } from './hosted-repository.ts'

export interface RemoveResult {
  readonly repository: string
  /** The latest after it; of a dry run the one that is. */
  readonly revision: number
  /** Of that revision. */
  readonly packages: number
  /** In key order. */
  readonly removed: readonly StoredPackage[]
  /** `false` after a dry run. */
  readonly done: boolean
}

/**
 * Takes packages out of a hosted repository's next revision. Snapshots and earlier revisions keep them.
 * @param input.packages keys, names, or shell patterns of either
 * @throws ChantalError `NOT_FOUND` for one that matches nothing; `USAGE_INVALID` where the repository is not hosted
 */
export const removePackages: UseCase<
  { readonly repository: string; readonly packages: readonly string[]; readonly dryRun: boolean },
  RemoveResult
> = async (context, { repository, packages, dryRun }, caller) => {
  const startedAt = context.now()
  const settings = hostedRepository(context, repository)
  const { id } = settings
  if (dryRun) {
    const record = await context.catalog.read((reader) => reader.repository(id))
    const { latest, found } = await find(context, { id, latest: record?.latest ?? null, packages })
    return {
      repository: id,
      revision: latest.number,
      packages: latest.packageCount,
      removed: found,
      done: false,
    }
  }
  return changeHosted(
    context,
    { settings, purpose: `remove packages of ${id}` },
    async (record, signal) => {
      const { latest, found } = await find(context, { id, latest: record.latest, packages })
      const files = await context.catalog.read((reader) => reader.files(latest))
      const plan = { added: [], replaced: [], removed: found.map(({ key }) => key) }
      const verdictsOf = async () => new Map()
      await using draft = new RevisionDraft(context, { settings, plan, verdictsOf }, signal)
      const { revision } = await sealPlan(
        context,
        {
          settings,
          draft,
          arriving: [],
          listing: { records: async function* () {} },
          files,
          blobs: new Map(),
          verdicts: new Map(),
          latest,
          checkpoint: null,
        },
        signal,
      )
      await recordChange(context, {
        kind: 'remove',
        startedAt,
        revision,
        isNew: found.length > 0,
        changes: { added: 0, removed: found.length, replaced: 0 },
        warnings: [],
      })
      return {
        repository: id,
        revision: revision.number,
        packages: revision.packageCount,
        removed: found,
        done: true,
      }
    },
    caller,
  )
}

async function find(
  { catalog }: AppContext,
  { id, latest, packages }: { id: string; latest: Revision | null; packages: readonly string[] },
): Promise<{ readonly latest: Revision; readonly found: readonly StoredPackage[] }> {
  if (!latest)
    throw new ChantalError('NOT_FOUND', `${id} holds no package yet`, { details: { repository: id } })
  const found = await catalog.read((reader) =>
    findPackages(reader, { label: id, revisions: [latest] }, packages),
  )
  return { latest, found }
}
