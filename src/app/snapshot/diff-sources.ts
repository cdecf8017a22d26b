import type { StoredPackage } from '../../core/model.ts'
import type { VersionOrder } from '../../core/plan.ts'
import { configuredRepository, ecosystemOf } from '../configured.ts'
import type { UseCase } from '../context.ts'
import { parseSource, resolveSource } from '../source.ts'

/** A package that another version took the place of. */
export interface UpdatedPackage {
  readonly name: string
  readonly architecture: string | null
  readonly from: StoredPackage
  readonly to: StoredPackage
}

export interface SourceDiff {
  readonly from: string
  readonly to: string
  readonly added: readonly StoredPackage[]
  readonly removed: readonly StoredPackage[]
  readonly updated: readonly UpdatedPackage[]
  /** Same name, version and architecture, other content. As it is in `to`. */
  readonly replaced: readonly StoredPackage[]
}

/**
 * Compares two sources; with one, a snapshot with its repository's latest revision.
 * @throws ChantalError `NOT_FOUND`, `USAGE_INVALID`
 */
export const diffSources: UseCase<{ readonly from: string; readonly to: string | null }, SourceDiff> = async (
  context,
  input,
) => {
  const { catalog, settings } = context
  return catalog.read(async (reader) => {
    const from = await resolveSource(reader, settings, input.from)
    const to = await resolveSource(reader, settings, input.to ?? parseSource(input.from).repository)
    const added: StoredPackage[] = []
    const removed: StoredPackage[] = []
    const replaced: StoredPackage[] = []
    for await (const change of reader.diff(from.revision, to.revision)) {
      if (change.change === 'added') added.push(change.after)
      else if (change.change === 'removed') removed.push(change.before)
      else replaced.push(change.after)
    }
    const { versions } = ecosystemOf(context, configuredRepository(settings, to.repository))
    return { from: from.label, to: to.label, ...pairUpdates(added, removed, versions), replaced }
  })
}

/**
 * Pairs removals with additions of the same name and architecture, newest with newest, so that a name with several versions
 * on both sides shows what moved and what came or went.
 */
export function pairUpdates(
  added: readonly StoredPackage[],
  removed: readonly StoredPackage[],
  versions: VersionOrder,
): Pick<SourceDiff, 'added' | 'removed' | 'updated'> {
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
