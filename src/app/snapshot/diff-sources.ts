import type { CatalogReader } from '../../catalog/catalog-reader.ts'
import { ChantalError } from '../../core/errors.ts'
import type { Revision, StoredPackage } from '../../core/model.ts'
import type { VersionOrder } from '../../core/plan.ts'
import type { AppContext, UseCase } from '../context.ts'
import { parseSource, type ResolvedSource, resolveSource } from '../source.ts'

/** A package that another version took the place of. */
export interface UpdatedPackage {
  readonly name: string
  readonly architecture: string | null
  readonly from: StoredPackage
  readonly to: StoredPackage
}

/** What came, went and changed. */
export interface PackageChanges {
  readonly added: readonly StoredPackage[]
  readonly removed: readonly StoredPackage[]
  readonly updated: readonly UpdatedPackage[]
  /** Same name, version and architecture, other content. As it is in `to`. */
  readonly replaced: readonly StoredPackage[]
}

export interface SourceDiff extends PackageChanges {
  readonly from: string
  readonly to: string
  /** Of views, each member for itself; none of repositories. */
  readonly members: readonly MemberDiff[]
}

export interface MemberDiff extends PackageChanges {
  readonly repository: string
}

/**
 * Compares two sources; with one, a snapshot with what is latest in its repository or view. Of views also member by member: as a whole, a
 * package that went from one member to another has not changed, and a version in one takes the place of an older one in another.
 * @throws ChantalError `NOT_FOUND`, `USAGE_INVALID`
 */
export const diffSources: UseCase<{ readonly from: string; readonly to: string | null }, SourceDiff> = async (
  context,
  input,
) => {
  const { catalog, settings } = context
  return catalog.read(async (reader) => {
    const from = await resolveSource(reader, settings, input.from)
    const to = await resolveSource(reader, settings, input.to ?? parseSource(input.from).owner)
    const versions = await orderOf(context, reader, [from, to])
    const all: MutableChanges = { added: [], removed: [], replaced: [] }
    const members: MemberDiff[] = []
    for (const pair of pairRevisions(from, to)) {
      const changes = await changesBetween(reader, pair)
      for (const kind of ['added', 'removed', 'replaced'] as const)
        for (const pkg of changes[kind]) all[kind].push(pkg)
      members.push({ repository: pair.repository, ...settle(changes, versions) })
    }
    const isOfViews = from.kind === 'view' || to.kind === 'view'
    return {
      from: from.label,
      to: to.label,
      ...settle(isOfViews ? withoutMoved(all) : all, versions),
      members: isOfViews ? members : [],
    }
  })
}

/** Of both sources, also where repositories have gone from the configuration since. @throws ChantalError `USAGE_INVALID` */
async function orderOf(
  { ecosystems }: AppContext,
  reader: CatalogReader,
  [from, to]: readonly [ResolvedSource, ResolvedSource],
): Promise<VersionOrder> {
  const typeOf = async ({ revisions: [{ repository }] }: ResolvedSource) =>
    (await reader.repository(repository))?.ecosystem
  const [before, after] = [await typeOf(from), await typeOf(to)]
  const ecosystem = after && ecosystems.get(after)
  if (!ecosystem) throw new Error(`no ecosystem ${after} in the registry`)
  if (before === after) return ecosystem.versions
  throw new ChantalError(
    'USAGE_INVALID',
    `${from.label} is of type ${before}, and ${to.label} of type ${after}`,
    {
      hint: 'Compare sources of one type.',
      details: { from: from.label, to: to.label },
    },
  )
}

interface MutableChanges {
  readonly added: StoredPackage[]
  readonly removed: StoredPackage[]
  readonly replaced: StoredPackage[]
}

interface RevisionPair {
  readonly repository: string
  /** `null` where only one side has the member. */
  readonly before: Revision | null
  readonly after: Revision | null
}

/** Members by their ids, in the order of `to`. Two repositories are compared whatever their ids. */
function pairRevisions(from: ResolvedSource, to: ResolvedSource): readonly RevisionPair[] {
  if (from.kind === 'repository' && to.kind === 'repository') {
    const [before] = from.revisions
    const [after] = to.revisions
    return [{ repository: after.repository, before, after }]
  }
  const before = new Map<string, Revision>(from.revisions.map((revision) => [revision.repository, revision]))
  const after = new Map<string, Revision>(to.revisions.map((revision) => [revision.repository, revision]))
  return [...new Set([...after.keys(), ...before.keys()])].map((repository) => ({
    repository,
    before: before.get(repository) ?? null,
    after: after.get(repository) ?? null,
  }))
}

async function changesBetween(
  reader: CatalogReader,
  { before, after }: RevisionPair,
): Promise<MutableChanges> {
  const changes: MutableChanges = { added: [], removed: [], replaced: [] }
  if (before && after) {
    for await (const change of reader.diff(before, after)) {
      if (change.change === 'added') changes.added.push(change.after)
      else if (change.change === 'removed') changes.removed.push(change.before)
      else changes.replaced.push(change.after)
    }
  } else if (after) for await (const pkg of reader.packages(after)) changes.added.push(pkg)
  else if (before) for await (const pkg of reader.packages(before)) changes.removed.push(pkg)
  return changes
}

/** Without packages that left one member and came to another as they were. */
function withoutMoved({ added, removed, replaced }: MutableChanges): MutableChanges {
  const contentOf = ({ key, files: [file] }: StoredPackage) => `${key} ${file.digest}`
  const left = Map.groupBy(removed, contentOf)
  const arrived = added.filter((pkg) => !left.get(contentOf(pkg))?.pop())
  return { added: arrived, removed: [...left.values()].flat(), replaced }
}

function settle({ added, removed, replaced }: MutableChanges, versions: VersionOrder): PackageChanges {
  return { ...pairUpdates(added, removed, versions), replaced }
}

/**
 * Pairs removals with additions of the same name and architecture, newest with newest, so that a name with several versions
 * on both sides shows what moved and what came or went.
 */
export function pairUpdates(
  added: readonly StoredPackage[],
  removed: readonly StoredPackage[],
  versions: VersionOrder,
): Omit<PackageChanges, 'replaced'> {
  const newestFirst = (a: StoredPackage, b: StoredPackage) => versions.compare(b.version, a.version)
  const thingOf = ({ name, architecture }: StoredPackage) => `${name}\0${architecture ?? ''}`
  const gone = Map.groupBy(removed, thingOf)
  const updated: UpdatedPackage[] = []
  const onlyAdded: StoredPackage[] = []
  for (const [thing, arrivals] of Map.groupBy(added, thingOf)) {
    const departures = (gone.get(thing) ?? []).sort(newestFirst)
    for (const to of arrivals.sort(newestFirst)) {
      const from = departures.shift()
      if (from) updated.push({ name: to.name, architecture: to.architecture, from, to })
      else onlyAdded.push(to)
    }
  }
  const onlyRemoved = [...gone.values()].flat()
  const byKey = (a: { key: string }, b: { key: string }) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0)
  return {
    added: onlyAdded.sort(byKey),
    removed: onlyRemoved.sort(byKey),
    updated: updated.sort((a, b) => byKey(a.to, b.to)),
  }
}
