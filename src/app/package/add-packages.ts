import type { RepositorySettings } from '../../config/settings.ts'
import type { BlobRef } from '../../core/bytes.ts'
import { enumerate } from '../../core/enumerate.ts'
import { ChantalError } from '../../core/errors.ts'
import type {
  NativeRecord,
  PackageKey,
  Revision,
  StoredPackage,
  UpstreamFile,
  UpstreamPackage,
} from '../../core/model.ts'
import type { RelativePath } from '../../core/path.ts'
import type { SyncPlan } from '../../core/plan.ts'
import type { AppContext } from '../context.ts'
import { RevisionDraft } from '../sync/revision-draft.ts'
import { sealPlan } from '../sync/seal-plan.ts'
import { type VerifiedPackages, verifyPackages } from '../sync/verify-packages.ts'
import { WarningCollector } from '../sync/warning-collector.ts'
import { assertHosted, changeHosted, recordChange } from './hosted-repository.ts'
import type { DescribedUpload } from './receive-uploads.ts'

export interface AddedPackages {
  readonly repository: string
  /** The latest after it; of a preview the one that is, and 0 where there is none yet. */
  readonly revision: number
  /** Of that revision. */
  readonly packages: number
  /** In the order of what arrived. */
  readonly added: readonly AddedPackage[]
}

export interface AddedPackage {
  /** As it was called when it arrived: a file, a package's key. */
  readonly label: string
  readonly status: 'added' | 'replaced' | 'unchanged'
  readonly package: StoredPackage
}

export interface Addition {
  readonly settings: RepositorySettings
  readonly uploads: readonly DescribedUpload[]
  /** Replaces packages that the repository holds with other bytes. */
  readonly force: boolean
}

/**
 * Adds packages whose files are in the pool to a hosted repository, all of them in one new revision or none. Those that it holds already
 * change nothing.
 * @param input.kind what history calls it
 * @throws ChantalError `USAGE_INVALID` where two of what arrives are the same package with different bytes; `ALREADY_EXISTS` where the
 *   repository holds other bytes under the same key, or another package under the same path; `SIGNATURE_INVALID`, `SIGNATURE_MISSING` where
 *   `verify.packages` requires good ones
 */
export async function addPackages(
  context: AppContext,
  input: Addition & { readonly kind: 'upload' | 'copy'; readonly startedAt: Date },
  caller: AbortSignal,
): Promise<AddedPackages> {
  const { settings, kind, startedAt } = input
  const { id } = settings
  return changeHosted(
    context,
    { settings, purpose: `${kind} to ${id}` },
    async ({ latest }, signal) => {
      const warnings = new WarningCollector(context.reporter, id)
      const planned = await planAddition({ ...context, reporter: warnings }, input, latest, signal)
      const sealed = await seal(context, { settings, latest, planned }, signal)
      const { status, added, replaced } = planned.changes
      await recordChange(context, {
        kind,
        startedAt,
        revision: sealed,
        isNew: status.size > 0,
        changes: { added: added.length, removed: 0, replaced: replaced.length },
        warnings: warnings.collected,
      })
      return outcomeOf(input, planned, sealed)
    },
    caller,
  )
}

/** What {@link addPackages} would come to now, or throw. Changes nothing. */
export async function previewAddition(
  context: AppContext,
  input: Addition,
  signal: AbortSignal,
): Promise<AddedPackages> {
  const record = await context.catalog.read((reader) => reader.repository(input.settings.id))
  const latest = record?.latest ?? null
  assertHosted(input.settings, latest)
  return outcomeOf(input, await planAddition(context, input, latest, signal), latest)
}

interface PlannedAddition {
  readonly held: Held
  readonly changes: Changes
  readonly plan: SyncPlan
  readonly records: readonly NativeRecord[]
  readonly blobs: ReadonlyMap<UpstreamFile, BlobRef>
  readonly verified: VerifiedPackages
}

async function planAddition(
  context: AppContext,
  { settings, uploads, force }: Addition,
  latest: Revision | null,
  signal: AbortSignal,
): Promise<PlannedAddition> {
  const arriving = distinct(uploads)
  const held = await findHeld(context, latest, arriving)
  const changes = judge(settings, arriving, held, force)
  const arrival = arrivalOf(changes)
  const verified = await verifyPackages(context, { settings, ...arrival, latest }, signal)
  warnOfShortcomings(context, settings, arriving)
  return { held, changes, ...arrival, verified }
}

/** Also of what is held already: whoever adds it again has not heard of it, or not done anything about it. */
function warnOfShortcomings({ reporter }: AppContext, { id }: RepositorySettings, arriving: Arriving): void {
  const lacking = [...arriving.values()].filter(({ described }) => described.shortcoming !== undefined)
  for (const [shortcoming, alike] of Map.groupBy(lacking, ({ described }) => described.shortcoming)) {
    const count = alike.length === 1 ? '1 package' : `${alike.length} packages`
    const message = `${count} ${shortcoming}: ${enumerate(alike.map(({ described }) => described.key))}`
    reporter.report({ type: 'warning', code: 'METADATA_MISSING', message, repository: id })
  }
}

function outcomeOf(
  { settings, uploads }: Addition,
  { held, changes, verified }: PlannedAddition,
  revision: Revision | null,
): AddedPackages {
  const signatures = new Map([...verified.held, ...verified.arriving])
  const added = uploads.map(({ label, blob, described }): AddedPackage => {
    const { key } = described
    const before = held.byKey.get(key)
    const status = changes.status.get(key) ?? 'unchanged'
    const kept = status === 'unchanged' ? before : undefined
    const stored = kept ?? storedPackage(settings, { label, blob, described })
    const signature = signatures.get(key) ?? kept?.signature ?? null
    return { label, status, package: { ...stored, signature } }
  })
  return {
    repository: settings.id,
    revision: revision?.number ?? 0,
    packages: revision?.packageCount ?? 0,
    added,
  }
}

type Arriving = ReadonlyMap<PackageKey, DescribedUpload>

/** Each package once, however many files hold it. */
function distinct(uploads: readonly DescribedUpload[]): Arriving {
  const byKey = new Map<PackageKey, DescribedUpload>()
  for (const upload of uploads) {
    const { key } = upload.described
    const other = byKey.get(key)
    if (other && other.blob.digest !== upload.blob.digest) {
      const files = [other.label, upload.label]
      throw new ChantalError('USAGE_INVALID', `two different files are ${key}: ${files.join(', ')}`, {
        hint: 'Upload one of them.',
        details: { key, files },
      })
    }
    if (!other) byKey.set(key, upload)
  }
  return byKey
}

interface Held {
  /** Of the packages that arrive. */
  readonly byKey: ReadonlyMap<PackageKey, StoredPackage>
  /** Under the paths of packages that arrive. */
  readonly byPath: ReadonlyMap<RelativePath, readonly StoredPackage[]>
}

async function findHeld({ catalog }: AppContext, latest: Revision | null, arriving: Arriving): Promise<Held> {
  const byKey = new Map<PackageKey, StoredPackage>()
  const byPath = new Map<RelativePath, StoredPackage[]>()
  for (const { described } of arriving.values()) byPath.set(described.path, [])
  if (latest) {
    await catalog.read(async (reader) => {
      for await (const pkg of reader.packages(latest)) {
        if (arriving.has(pkg.key)) byKey.set(pkg.key, pkg)
        for (const { path } of pkg.files) byPath.get(path)?.push(pkg)
      }
    })
  }
  return { byKey, byPath }
}

interface Changes {
  /** Of what is not here nothing changes. */
  readonly status: ReadonlyMap<PackageKey, 'added' | 'replaced'>
  readonly added: readonly DescribedUpload[]
  readonly replaced: readonly DescribedUpload[]
}

/** @throws ChantalError `ALREADY_EXISTS` */
function judge(settings: RepositorySettings, arriving: Arriving, held: Held, force: boolean): Changes {
  const status = new Map<PackageKey, 'added' | 'replaced'>()
  const paths = new Map<RelativePath, DescribedUpload>()
  const taken: string[] = []
  for (const [key, upload] of arriving) {
    const { blob, described } = upload
    const { path } = described
    const others = [
      ...(held.byPath.get(path) ?? []).map((pkg) => ({ key: pkg.key, digest: digestAt(pkg, path) })),
      ...[paths.get(path)].flatMap((other) =>
        other ? [{ key: other.described.key, digest: other.blob.digest }] : [],
      ),
    ]
    const other = others.find((found) => found.key !== key && found.digest !== blob.digest)
    if (other) taken.push(`${path}, by ${other.key}`)
    paths.set(path, upload)
    const before = held.byKey.get(key)
    if (!before) status.set(key, 'added')
    else if (digestAt(before, path) !== blob.digest) status.set(key, 'replaced')
  }
  if (taken.length > 0) {
    throw new ChantalError(
      'ALREADY_EXISTS',
      `${settings.id} holds other files under the same paths: ${enumerate(taken)}`,
      {
        hint: 'Remove those packages first: clients would get one file for both.',
        details: { paths: taken },
      },
    )
  }
  const of = (wanted: 'added' | 'replaced') =>
    [...arriving].flatMap(([key, upload]) => (status.get(key) === wanted ? [upload] : []))
  const replaced = of('replaced')
  if (replaced.length > 0 && !force) {
    const keys = replaced.map(({ described }) => described.key)
    throw new ChantalError('ALREADY_EXISTS', `${settings.id} holds other bytes of ${enumerate(keys)}`, {
      hint: 'Give the package a new version; clients that have the old bytes keep them. --force replaces it all the same.',
      details: { packages: keys },
    })
  }
  return { status, added: of('added'), replaced }
}

function digestAt({ files }: StoredPackage, path: RelativePath): string | null {
  return files.find((file) => file.path === path)?.digest ?? null
}

/** What arrives, as a sync would have it. */
function arrivalOf(changes: Changes): Pick<PlannedAddition, 'plan' | 'records' | 'blobs'> {
  const blobs = new Map<UpstreamFile, BlobRef>()
  const records: NativeRecord[] = []
  const arrive = ({ blob, described }: DescribedUpload): UpstreamPackage => {
    const { path, records: parts, shortcoming: _, ...facts } = described
    for (const part of parts) records.push({ ...part, key: facts.key })
    const { digest, size } = blob
    const expect = { size, checksums: [{ algorithm: 'sha256', hex: digest } as const], maxSize: size }
    const file: UpstreamFile = { path, location: path, expect }
    blobs.set(file, blob)
    return { ...facts, files: [file], identity: identityOf(blob), versionGroup: facts.name }
  }
  const plan = {
    added: changes.added.map(arrive),
    replaced: changes.replaced.map(arrive),
    removed: [],
    unchanged: 0,
  }
  return { plan, records, blobs }
}

async function seal(
  context: AppContext,
  input: {
    readonly settings: RepositorySettings
    readonly latest: Revision | null
    readonly planned: PlannedAddition
  },
  signal: AbortSignal,
): Promise<Revision> {
  const { settings, latest, planned } = input
  const { plan, records, blobs, verified } = planned
  const verdictsOf = async () => verified.arriving
  await using draft = new RevisionDraft(context, { settings, plan, verdictsOf }, signal)
  await draft.recordRest(blobs)
  const files = latest ? await context.catalog.read((reader) => reader.files(latest)) : []
  const { revision } = await sealPlan(
    context,
    {
      settings,
      draft,
      arriving: [...plan.added, ...plan.replaced],
      listing: {
        records: async function* () {
          yield* records
        },
      },
      files,
      blobs,
      verdicts: verified.held,
      latest,
      checkpoint: null,
    },
    signal,
  )
  return revision
}

function storedPackage({ id }: RepositorySettings, { blob, described }: DescribedUpload): StoredPackage {
  const { path, records: _, shortcoming: __, ...facts } = described
  return { ...facts, repository: id, files: [{ ...blob, path }], identity: identityOf(blob), signature: null }
}

/** All that is said of an uploaded package follows from its bytes. */
const identityOf = ({ digest }: BlobRef) => `sha256:${digest}`
