import { createHash } from 'node:crypto'
import type { CatalogReader } from '../../catalog/catalog-reader.ts'
import { ChantalError } from '../../core/errors.ts'
import type { RepositoryId, Revision } from '../../core/model.ts'
import { parseRelativePath, type RelativePath } from '../../core/path.ts'
import type { EarlierTree, PublicationSink } from '../../core/publication.ts'
import type { Ecosystem, RevisionContent } from '../../ecosystems/ecosystem.ts'
import type { TakenPackages } from '../../publish/publications.ts'
import type { Signer } from '../../sign/signer.ts'
import { CheckedReadings } from '../checked-readings.ts'
import { configuredRepository, configuredView, ecosystemOf } from '../configured.ts'
import type { AppContext } from '../context.ts'
import type { ResolvedSource } from '../source.ts'

/** Raised when what a publisher writes for equal input changes, so that publishing again after an upgrade makes a new generation. */
const publisherVersion = 4

/** What is to be seen at a path. */
export type Content = Pick<ResolvedSource, 'kind' | 'owner' | 'label' | 'revisions'>

interface TreeTerms {
  readonly now: Date
  readonly earlier: EarlierTree | null
  /** How packages are taken over from the earlier tree; `null` places each. */
  readonly takeOver: TakeOver | null
}

/** A tree to take packages over from, into the one that is being made. */
export interface TakeOver {
  /** Which revision of the repository it shows. */
  revisionOf(repository: RepositoryId): number | null
  /** @see PublicationStage.takePackages */
  take(content: TakenPackages): Promise<boolean>
}

/** The tree of a revision, or of a view's revisions, as it would be made now. */
export interface PublishedTree {
  readonly packages: number
  readonly ecosystem: Ecosystem
  /** Upstream's bytes and signatures: nothing in it is ours. */
  readonly isVerbatim: boolean
  /** `null` where it carries no signature of ours. */
  readonly signer: Signer | null
  /** Milliseconds from its publication for which clients take it; `null` without end. */
  readonly validityMs: number | null
  /** Equal for what would give an equal tree. */
  readonly fingerprint: string
  fill(terms: TreeTerms, sink: PublicationSink): Promise<void>
  /** Writes what states the time, of an earlier tree with the same fingerprint; `null` where that cannot be done alone. */
  readonly renew:
    | ((terms: { readonly now: Date; readonly earlier: EarlierTree }, sink: PublicationSink) => Promise<void>)
    | null
}

/**
 * @throws ChantalError `NOT_FOUND` where a repository or view is not configured any more; `USAGE_INVALID` where a view's tree cannot be
 *   made; `SIGNING_FAILED`
 */
export async function openTree(context: AppContext, content: Content): Promise<PublishedTree> {
  assertConfigured(context, content)
  return content.kind === 'view' ? openViewTree(context, content) : openRepositoryTree(context, content)
}

async function openRepositoryTree(context: AppContext, content: Content): Promise<PublishedTree> {
  const [revision] = content.revisions
  const { mode } = revision
  const settings = configuredRepository(context.settings, revision.repository)
  const ecosystem = ecosystemOf(context, settings)
  const isVerbatim = mode === 'mirror'
  const signer = isVerbatim ? null : await context.signerOf(settings)
  return {
    packages: revision.packageCount,
    ecosystem,
    isVerbatim,
    signer,
    validityMs: isVerbatim ? null : shortestValidity(context, ecosystem, content),
    fingerprint: fingerprintOf(context, content, signer),
    fill: (terms, sink) =>
      withContents(context, content.revisions, async ([member], place) => {
        await place(terms, sink, null)
        await ecosystem.publish({ ...member, ...termsOf(context, content, signer, terms) }, sink)
      }),
    renew: renewOf(ecosystem, mode, signer),
  }
}

async function openViewTree(context: AppContext, content: Content): Promise<PublishedTree> {
  const view = configuredView(context.settings, content.owner)
  const { revisions } = content
  const [first] = revisions
  const ecosystem = ecosystemOf(context, configuredRepository(context.settings, first.repository))
  assertRecords(content)
  const signer = await context.signerOf(view)
  return {
    packages: revisions.reduce((sum, { packageCount }) => sum + packageCount, 0),
    ecosystem,
    isVerbatim: false,
    signer,
    validityMs: shortestValidity(context, ecosystem, content),
    fingerprint: fingerprintOf(context, content, signer),
    fill: (terms, sink) =>
      withContents(context, revisions, async (contents, place) => {
        const members = contents.map((member) => ({ ...member, folder: folderOf(member) }))
        await place(terms, sink, folderOf)
        await ecosystem.publishView(
          { view: view.name, members, ...termsOf(context, content, signer, terms) },
          sink,
        )
      }),
    renew: renewOf(ecosystem, 'filtered', signer),
  }
}

/**
 * How a member's tree looks is said in the configuration, also of one that was frozen while it was a member of the view.
 * @throws ChantalError `NOT_FOUND`
 */
function assertConfigured({ settings }: AppContext, { label, revisions }: Content): void {
  const gone = revisions
    .map(({ repository }) => repository)
    .filter((member) => !settings.repositories.some(({ id }) => id === member))
  if (gone.length === 0) return
  throw new ChantalError(
    'NOT_FOUND',
    `${label} holds packages of ${gone.join(', ')}, gone from the configuration`,
    {
      hint: 'Give them back to `repositories`: with `enabled: false` they are not synced, and they need not be in the view.',
      details: { source: label, repositories: gone },
    },
  )
}

/**
 * Metadata for all members is generated from their packages' native records.
 * @throws ChantalError `USAGE_INVALID` where a revision has none
 */
export function assertRecords({
  owner,
  label,
  revisions,
}: Pick<Content, 'owner' | 'label' | 'revisions'>): void {
  const without = revisions.filter(({ hasRecords }) => !hasRecords).map(({ repository }) => repository)
  if (without.length === 0) return
  throw new ChantalError(
    'USAGE_INVALID',
    `${label}: ${without.join(', ')} ${without.length === 1 ? 'was' : 'were'} synced as a verbatim mirror, outside of the view ${owner}: what its metadata is generated from is not kept`,
    {
      hint: `Run \`chantal repo sync ${without.join(' ')}\`: a mirror that is a member of a view is synced with it.`,
      details: { source: label, repositories: without },
    },
  )
}

function shortestValidity(
  { settings }: AppContext,
  { validityMs }: Ecosystem,
  { revisions }: Content,
): number | null {
  const known = revisions.flatMap(
    ({ repository }) => validityMs?.(configuredRepository(settings, repository).options) ?? [],
  )
  return known.length === 0 ? null : Math.min(...known)
}

const folderOf = ({ repository }: { readonly repository: RepositoryId }): RelativePath =>
  parseRelativePath(repository)

function renewOf(
  ecosystem: Ecosystem,
  mode: Revision['mode'],
  signer: Signer | null,
): PublishedTree['renew'] {
  if (!ecosystem.renew) return null
  return async (terms, sink) => ecosystem.renew?.({ ...terms, mode, signer }, sink)
}

function termsOf(context: AppContext, content: Content, signer: Signer | null, { now, earlier }: TreeTerms) {
  const { settings, reporter } = context
  const recipe = recipeOf(context, content)
  // Its notes name the recipe. From one of another recipe nothing can be taken, and making everything needs the memory.
  if (earlier?.notes.some((line) => line.includes(recipe))) context.expectGarbage()
  return { recipe, signer, now, earlier, limits: settings.limits, reporter }
}

/** Opens what revisions hold, all of one state of the catalog. */
async function withContents(
  { catalog, pool, settings }: AppContext,
  revisions: Content['revisions'],
  work: (
    contents: readonly [RevisionContent, ...RevisionContent[]],
    /** Puts the packages of all into a tree, those of each below a folder of its own if there is one. */
    place: (terms: TreeTerms, sink: PublicationSink, folder: typeof folderOf | null) => Promise<void>,
  ) => Promise<void>,
): Promise<void> {
  const readings = new CheckedReadings(pool)
  await catalog.read(async (reader) => {
    const open = async (revision: Revision): Promise<RevisionContent> => {
      const { repository, mode, packageCount } = revision
      const files = await reader.files(revision)
      return {
        repository,
        options: configuredRepository(settings, repository).options,
        mode,
        packageCount,
        outlines: () => reader.outlines(revision),
        packages: (among) => reader.packages(revision, among && { among }),
        records: (part, terms) => reader.records(revision, part, terms),
        files,
        read: readings.of(files),
      }
    }
    const [first, ...rest] = revisions
    const contents: [RevisionContent, ...RevisionContent[]] = [await open(first)]
    for (const revision of rest) contents.push(await open(revision))
    await readings.guard(() =>
      work(contents, async ({ takeOver }, sink, folder) => {
        for (const revision of revisions)
          await placePackages(reader, revision, sink, { folder: folder?.(revision) ?? null, takeOver })
      }),
    )
  })
}

/** Puts all packages of a revision into the tree. Where most of them stand in an earlier one, it costs the difference. */
async function placePackages(
  reader: CatalogReader,
  revision: Revision,
  sink: PublicationSink,
  { folder, takeOver }: { readonly folder: RelativePath | null; readonly takeOver: TakeOver | null },
): Promise<void> {
  const { repository } = revision
  const shown = takeOver?.revisionOf(repository) ?? null
  const before = shown === null ? null : await reader.revision(repository, shown)
  const changes = before && (await reader.changedFiles(before, revision))
  const gone = new Set(changes?.gone.map(({ path }) => path))
  const isTaken = changes !== null && (await takeOver?.take({ repository, folder, gone }))
  for await (const files of isTaken ? [changes.came] : reader.packageFiles(revision))
    for (const file of files) await sink.place(file, repository, folder ?? undefined)
}

function fingerprintOf(
  { settings }: AppContext,
  { kind, owner, revisions }: Content,
  signer: Signer | null,
): string {
  const key = signer?.kind === 'openpgp' ? signer.fingerprint : (signer?.keyName ?? null)
  const parts = revisions.map(({ repository, number, mode }) => [
    repository,
    number,
    mode,
    configuredRepository(settings, repository).options,
  ])
  return digestOf([publisherVersion, kind, owner, parts, key])
}

/** What a fingerprint is made of, but for the revisions and the key: how packages come to be entries. */
function recipeOf({ settings }: AppContext, { kind, owner, revisions }: Content): string {
  const parts = revisions.map(({ repository, mode }) => [
    repository,
    mode,
    configuredRepository(settings, repository).options,
  ])
  return digestOf([publisherVersion, kind, owner, parts])
}

function digestOf(parts: readonly unknown[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex')
}
