import { DocumentNotes } from '../../codec/runs/document-notes.ts'
import { entryPageOf } from '../../codec/runs/entry-page.ts'
import { MadeRecords } from '../../codec/runs/made-records.ts'
import { packagePages } from '../../codec/runs/package-pages.ts'
import type { PackageKey } from '../../core/model.ts'
import { joinRelativePath } from '../../core/path.ts'
import type { PublicationSink } from '../../core/publication.ts'
import type { PublishTerms } from '../ecosystem.ts'
import { publishedStanza } from './published-stanza.ts'
import type { AptMember, AptPublishInput, AptViewInput } from './publisher.ts'
import { noteOfRelease } from './signed-release.ts'
import { readStoredSuites, type StoredSuite } from './stored-suites.ts'
import { SuiteTree } from './suite-tree.ts'
import { inSuite, placeOfSuite, type SuitePlace } from './suites.ts'

/**
 * A tree generated from native records, which say of every package what upstream said; what accompanies them is pruned to what is
 * published. Signed where there is a key.
 *
 * Every index is written in one pass over the packages.
 */
export async function publishGenerated(input: AptPublishInput, sink: PublicationSink): Promise<void> {
  await publishMembers([{ ...input, folder: null }], input, input.repository, sink)
}

/**
 * The same of several repositories. Suites that they have in common become one, with the components and architectures of all and the
 * policy of the first; others stand beside each other. A flat repository keeps a folder of its own.
 */
export async function publishAptView(input: AptViewInput, sink: PublicationSink): Promise<void> {
  await publishMembers(input.members, input, input.view, sink)
}

async function publishMembers(
  members: readonly AptMember[],
  terms: PublishTerms,
  owner: string,
  sink: PublicationSink,
): Promise<void> {
  const notes = DocumentNotes.open(terms.recipe, terms.earlier)
  const trees = new Map<string, SuiteTree>()
  const open = (member: AptMember, suite: string, stored: StoredSuite | null) => {
    const place = placeIn(member, placeOfSuite(suite))
    let tree = trees.get(place.suite)
    if (!tree) {
      const compression = member.options.compression
      tree = new SuiteTree(terms, { owner, place, sink, notes, compression })
      trees.set(place.suite, tree)
    }
    tree.join(member, stored)
    return tree
  }
  try {
    const opened: OpenedMember[] = []
    for (const member of members) {
      const suites = new Map<string, SuiteTree>()
      const stored = await readStoredSuites(member)
      for (const each of stored) suites.set(each.place.suite, open(member, each.place.suite, each))
      // A hosted repository has no upstream to say which suites and architectures there are.
      const isHosted = stored.length === 0
      const architectures = isHosted ? await architecturesOf(member) : []
      if (isHosted) {
        for (const suite of member.options.suites)
          suites.set(placeOfSuite(suite).suite, open(member, suite, null))
      }
      for (const tree of suites.values()) tree.offer(architectures)
      opened.push({ member, suites, architectures })
    }
    for (const tree of trees.values()) tree.begin()
    for (const { member, suites, architectures } of opened) {
      const treeOf = (configured: string): SuiteTree => {
        const { suite } = placeOfSuite(configured)
        const known = suites.get(suite)
        if (known) return known
        const tree = open(member, suite, null)
        tree.offer(architectures)
        tree.begin()
        suites.set(suite, tree)
        return tree
      }
      const { folder, options } = member
      // By the name that packages have of it, which is that of most.
      const bySuite = new Map<string, SuiteTree>()
      await using stanzas = new MadeRecords((among) => member.records('stanza', among), notes.hasNone)
      for await (const { outlines, whole } of packagePages(member, notes.hasNone)) {
        const page = entryPageOf(outlines)
        const placed = outlines.map((pkg, index) => {
          const { suite } = pkg.attributes
          const tree = bySuite.get(suite) ?? treeOf(suite)
          bySuite.set(suite, tree)
          return { tree, placement: tree.placementOf(member, pkg, { page, index }) }
        })
        const made = placed.flatMap(({ placement: { isHeld, pkg } }) => (isHeld ? [] : [pkg.key]))
        stanzas.want(made)
        const found = await whole(made)
        for (const { tree, placement } of placed) {
          const { key } = placement.pkg
          const stanza = placement.isHeld
            ? null
            : publishedStanza(
                recorded(key, await stanzas.of(key)),
                recorded(key, found.get(key)),
                options,
                folder,
              )
          const pending = tree.add(placement, stanza)
          if (pending) await pending
        }
      }
    }
    for (const tree of trees.values()) await tree.finish()
  } catch (error) {
    for (const tree of trees.values()) await tree.abandon(error)
    throw error
  }
  const releases = [...trees.values()].map(({ place }) => noteOfRelease(inSuite(place, 'Release')))
  sink.note([...notes.lines(), ...releases])
}

interface OpenedMember {
  readonly member: AptMember
  /** By their names in the member, which those of a flat repository are not in the tree. */
  readonly suites: Map<string, SuiteTree>
  /** That only its packages tell of; those of an upstream are known to the suites. */
  readonly architectures: readonly string[]
}

/** Clients name suites below `dists` as they are; a flat repository's metadata stands where its packages do. */
function placeIn({ folder }: AptMember, place: SuitePlace): SuitePlace {
  if (folder === null || !place.isFlat) return place
  return placeOfSuite(`${place.folder === '' ? folder : joinRelativePath(folder, place.folder)}/`)
}

/** The architectures that uploaded packages are for, and those that are configured, without `all`. */
async function architecturesOf(member: AptMember): Promise<readonly string[]> {
  const found = new Set(member.options.architectures ?? [])
  for await (const outlines of member.outlines()) {
    for (const { architecture, attributes } of outlines)
      if (architecture !== null && attributes.kind !== 'source') found.add(architecture)
  }
  found.delete('all')
  return [...found].sort()
}

function recorded<Found extends object>(key: PackageKey, found: Found | null | undefined): Found {
  if (!found) throw new Error(`${key} is not recorded as a package with a stanza`)
  return found
}
