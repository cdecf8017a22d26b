import type { RepositoryRecord } from '../../catalog/catalog-records.ts'
import type { RepositorySettings } from '../../config/settings.ts'
import { explainUnverified } from '../../config/unverified-metadata.ts'
import { isChantalError } from '../../core/errors.ts'
import type { Checkpoint, PackageKey, RepositoryId, Revision, StoredPackage } from '../../core/model.ts'
import type { HeldPackage } from '../../core/plan.ts'
import type { UpstreamClient } from '../../download/downloader.ts'
import type { UpstreamListing } from '../../ecosystems/ecosystem.ts'
import type { Verifier } from '../../sign/verifier.ts'
import { ecosystemOf, keepsRecords } from '../configured.ts'
import type { AppContext } from '../context.ts'
import { decodeCheckpoint, feedDigests, isOfFeed, settingsFingerprint } from './checkpoint.ts'
import { keysByIdentity } from './held-packages.ts'
import { MetadataSession } from './metadata-session.ts'
import { wantsAll } from './select-packages.ts'

export type ChangedListing = Extract<UpstreamListing, { status: 'changed' }>

/** What upstream lists, and what was fetched to know it. */
export interface Reading {
  readonly repository: RepositoryId
  readonly listing: UpstreamListing
  readonly session: MetadataSession
  /** Of today's settings. */
  readonly fingerprint: string
  readonly feed: readonly string[]
  /** The ecosystem's note that this reading started from. */
  readonly checkpoint: Checkpoint
  /** What upstream must not fall behind from here on. */
  readonly newestSeen: Checkpoint
}

/** Readings of an upstream that keeps changing while it is read, before giving up. */
const attempts = 4

/**
 * Has the ecosystem read upstream. Where the metadata does not fit together because upstream switched to a newer state in the
 * middle (its root documents differ when asked again), the reading starts over; otherwise the error stands.
 */
export async function readUpstream(
  context: AppContext,
  input: {
    readonly settings: RepositorySettings
    readonly client: UpstreamClient
    readonly record: RepositoryRecord | null
    /** What the next revision may keep of the latest one. */
    held(): Promise<ReadonlyMap<PackageKey, HeldPackage>>
    readonly force: boolean
    /** Of the same sync, which could not be brought to an end. */
    readonly earlier: Reading | null
  },
  signal: AbortSignal,
): Promise<Reading> {
  const { settings, client, record, held, earlier } = input
  const force = input.force || earlier !== null
  const isVerified = verifiesMetadata(settings)
  if (!isVerified) {
    const { reason } = explainUnverified(settings.verify)
    context.reporter.report({
      type: 'warning',
      code: 'VERIFICATION_OFF',
      message: `upstream's signature is not checked, since ${reason}`,
      repository: settings.id,
    })
  }
  const hasRecords = keepsRecords(context.settings, settings)
  const fingerprint = settingsFingerprint(settings, hasRecords)
  const feed = feedDigests(settings.feed)
  const before = decodeCheckpoint(record?.checkpoint ?? null)
  // What "the last so many days" keep changes without upstream changing.
  const isTimeless = settings.filters.buildTime.lastDays === null
  const isSameQuestion = !force && isTimeless && before?.fingerprint === fingerprint && record?.latest != null
  const checkpoint = isSameQuestion ? (before?.ecosystem ?? null) : null
  // A round robin may answer with an older state each time it is asked.
  const known = earlier ?? (before && isOfFeed(before, { feed, fingerprint }) ? before : null)
  const newestSeen = known?.newestSeen ?? null

  const read = async (isConditional: boolean): Promise<Reading> => {
    const session = new MetadataSession(
      context,
      { repository: settings.id, client, before: before?.documents ?? new Map(), isConditional },
      signal,
    )
    try {
      const listing = await session.guard(() =>
        ecosystemOf(context, settings).readUpstream({
          repository: settings.id,
          options: settings.options,
          mode: settings.mode,
          keepsRecords: hasRecords,
          filters: settings.mode === 'mirror' ? null : settings.filters.ecosystem,
          checkpoint,
          newestSeen,
          held: (wants) => heldPackages(context, settings, record?.latest ?? null, wants),
          unchanged: async () =>
            isSameQuestion && wantsAll(settings)
              ? keysByIdentity(await held())
              : new Map<string, PackageKey>(),
          metadata: session,
          verifier: isVerified ? () => openVerifier(context, settings) : null,
          limits: context.settings.limits,
          now: context.now(),
          reporter: context.reporter,
          signal,
        }),
      )
      return {
        repository: settings.id,
        listing,
        session,
        fingerprint,
        feed,
        checkpoint,
        newestSeen: listing.status === 'changed' ? (listing.newestSeen ?? null) : newestSeen,
      }
    } catch (error) {
      throw new FailedReading(session, error)
    }
  }

  let failed: FailedReading | null = null
  for (let attempt = 0; attempt < attempts; attempt++) {
    try {
      return await read(!force && failed === null)
    } catch (error) {
      if (!(error instanceof FailedReading)) throw error
      const isTorn = isChantalError(
        error.cause,
        'CHECKSUM_MISMATCH',
        'NOT_FOUND',
        'SIGNATURE_INVALID',
        'UPSTREAM_INVALID',
      )
      if (!isTorn || (failed && !error.session.differsFrom(failed.session))) throw error.cause
      failed = error
    }
  }
  throw failed?.cause
}

async function heldPackages(
  { catalog }: AppContext,
  { mode }: RepositorySettings,
  latest: Revision | null,
  wants: (pkg: StoredPackage) => boolean,
): Promise<readonly StoredPackage[]> {
  if (!latest?.hasRecords || mode === 'mirror') return []
  return catalog.read(async (reader) => {
    const held: StoredPackage[] = []
    for await (const pkg of reader.packages(latest)) if (wants(pkg)) held.push(pkg)
    return held
  })
}

/** A reading's error, with the documents that it had read. */
class FailedReading extends Error {
  readonly session: MetadataSession

  constructor(session: MetadataSession, cause: unknown) {
    super('reading upstream failed', { cause })
    this.session = session
  }
}

/** Without keys there is nothing to verify by; a warning says so. */
function verifiesMetadata({ verify }: RepositorySettings): boolean {
  return verify.metadata === 'require' && verify.keys.length > 0
}

async function openVerifier(context: AppContext, settings: RepositorySettings): Promise<Verifier> {
  const verifier = await context.verifierOf(settings)
  if (!verifier) throw new Error(`${settings.id} is to be verified, and has no verifier`)
  return verifier
}
