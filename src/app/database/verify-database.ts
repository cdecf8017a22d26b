import type { CatalogFlaw } from '../../catalog/catalog-reader.ts'
import { ChantalError } from '../../core/errors.ts'
import type { EcosystemId } from '../../core/model.ts'
import type { AppContext, UseCase } from '../context.ts'
import type { Repair } from '../pool/repair-blobs.ts'
import { damageError, verifyPool } from '../pool/verify-pool.ts'
import { compareBlobs } from './compare-blobs.ts'
import { comparePublications, type PublicationFlaw } from './compare-publications.ts'

export interface VerifyDatabaseInput {
  /** Reads every blob and hashes it; published packages are compared with theirs. */
  readonly deep: boolean
  /** Fetches corrupt and missing blobs anew, gives published packages their bytes, and has the catalog agree with what is published. */
  readonly repair: boolean
}

export type DatabaseFlaw = CatalogFlaw | PublicationFlaw

/** The shape of `db verify --json`. */
export interface VerifyDatabaseOutput extends Repair {
  readonly repositories: number
  readonly revisions: number
  readonly packages: number
  readonly blobs: number
  readonly publications: number
  /** Whether the bytes of blobs were read, and not only their sizes. */
  readonly deep: boolean
  readonly flaws: readonly DatabaseFlaw[]
  /** Blobs in the pool that no row names: garbage of an interrupted sync, which the next collection removes. */
  readonly unnamedBlobs: number
  readonly repaired: number
  readonly durationMs: number
}

/**
 * Whether the catalog agrees with itself, with the pool and with what is published. Flaws are values: all kinds of them are found and named.
 * Takes no lease but for what it repairs; what changes meanwhile is looked at again before it counts.
 */
export const verifyDatabase: UseCase<VerifyDatabaseInput, VerifyDatabaseOutput> = async (
  context,
  input,
  signal,
) => {
  const startedAt = context.now().getTime()
  const { catalog } = context
  const counts = await catalog.read((reader) => reader.counts())
  const flaws: DatabaseFlaw[] = [...(await catalog.schemaFlaws())]
  signal.throwIfAborted()
  await catalog.read(async (reader) => {
    for await (const flaw of reader.flaws(requiredParts(context))) {
      signal.throwIfAborted()
      flaws.push(flaw)
    }
  })
  const { damaged, unreplaced, unnamedBlobs } = await checkBlobs(context, input, signal)
  const compared = await comparePublications(context, input, signal)
  flaws.push(...compared.flaws)
  return {
    repositories: counts.repositories,
    revisions: counts.revisions,
    packages: counts.packages,
    blobs: counts.blobs,
    publications: compared.publications,
    deep: input.deep,
    flaws,
    damaged,
    unreplaced,
    unnamedBlobs,
    repaired: damaged.filter(({ repaired }) => repaired).length + compared.repaired,
    durationMs: context.now().getTime() - startedAt,
  }
}

function requiredParts({ ecosystems }: AppContext): ReadonlyMap<EcosystemId, readonly string[]> {
  return new Map([...ecosystems].map(([id, { requiredRecords }]) => [id, requiredRecords]))
}

/** Sizes first: with `deep` too, since a file that no row names is in no other list. */
async function checkBlobs(context: AppContext, input: VerifyDatabaseInput, signal: AbortSignal) {
  const { damaged, unreplaced, unnamed } = await compareBlobs(context, input.repair, signal)
  if (!input.deep) return { damaged, unreplaced, unnamedBlobs: unnamed }
  const known = new Set(damaged.map(({ digest }) => digest))
  const hashed = await verifyPool(context, { repair: input.repair, rate: null }, signal)
  const found = [...damaged, ...hashed.damaged.filter(({ digest }) => !known.has(digest))]
  return { damaged: found, unreplaced: [...unreplaced, ...hashed.unreplaced], unnamedBlobs: unnamed }
}

/** What a verification that found flaws which are still there ends with. */
export function flawError(output: VerifyDatabaseOutput): ChantalError | null {
  const flaws = output.flaws.filter((flaw) => flaw.check !== 'publication' || !flaw.repaired)
  const [first] = flaws
  if (!first) return damageError(output)
  const publications = flaws.every(({ check }) => check === 'publication')
  return new ChantalError(
    'CATALOG_CORRUPT',
    `${flaws.length === 1 ? '1 thing is not as it' : `${flaws.length} things are not as they`} should be, the first: ${first.subject} ${first.message}`,
    {
      hint: publications
        ? 'Run `chantal db verify --repair`; what that leaves, publish again with `--force`, or take it away with `chantal publish unpublish PATH`.'
        : 'Restore a backup of the catalog. If there is none, report it with what this command shows.',
      details: { flaws: flaws.length },
    },
  )
}
