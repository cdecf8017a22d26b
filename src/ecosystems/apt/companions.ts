import { decompress } from '../../codec/compression.ts'
import type { ByteSource } from '../../core/bytes.ts'
import type { PublishTerms } from '../ecosystem.ts'
import type { AptAttributes } from './attributes.ts'
import { pruneAppstream } from './formats/appstream-prune.ts'
import { pruneCommands } from './formats/commands-prune.ts'
import { mergeContents } from './formats/contents-merge.ts'
import { pruneContents } from './formats/contents-prune.ts'
import type { PruneCounts } from './formats/stanza-prune.ts'
import { pruneTranslation } from './formats/translation-prune.ts'
import { put, type SuiteSink, writeIndex } from './index-file.ts'
import { isImage } from './mirror-publisher.ts'
import type { PublishedNames } from './published-names.ts'
import type { AptMember } from './publisher.ts'
import type { StoredSuite, StoredSuiteFile } from './stored-suites.ts'
import { inOrder } from './suite-indexes.ts'
import { inSuite } from './suites.ts'

/** A suite as one repository of the tree has it. */
export interface MemberSuite {
  readonly member: AptMember
  readonly stored: StoredSuite
}

/** A file that accompanies packages, of one member. */
interface Companion extends MemberSuite {
  readonly file: StoredSuiteFile
}

/**
 * What accompanies packages, pruned to those that are published: descriptions, lists of files, AppStream, commands. What several members
 * have is written once, with the entries of all. Images of an installer come along where the tree is of one repository.
 */
export async function writeCompanions(
  suites: readonly MemberSuite[],
  terms: PublishTerms,
  names: PublishedNames,
  to: SuiteSink,
): Promise<void> {
  const files = suites.flatMap((suite) =>
    oneOfEach(suite.stored.files).map((file): Companion => ({ ...suite, file })),
  )
  for (const group of Map.groupBy(files, ({ file }) => file.index.plainPath).values()) {
    const [first] = group
    if (!first) continue
    const { kind } = first.file.index
    if (kind === 'installer') {
      if (first.member.folder === null) for (const each of group) await writeInstaller(each, to)
    } else if (isIcons(first.file)) await writeIcons(group, first, terms, to)
    else {
      const pruned = pruneAll(group, terms, names)
      const [only] = pruned
      if (!only) continue
      const content =
        pruned.length === 1 ? only : kind === 'contents' ? mergeContents(pruned) : joined(pruned)
      await writeIndex(to, first.file.index.plainPath, content)
    }
  }
}

/** A mirror has some in several compressions: one of them says it all. Files of an installer are each what they are. */
function oneOfEach(files: readonly StoredSuiteFile[]): readonly StoredSuiteFile[] {
  const groups = Map.groupBy(files, ({ name, index }) =>
    index.kind === 'installer' ? name : index.plainPath,
  )
  return [...groups.values()].flatMap(([first, ...rest]) => {
    if (!first) return []
    const variant = (file: StoredSuiteFile) => ({ file, extension: file.index.extension })
    const [best] = inOrder([variant(first), ...rest.map(variant)])
    return [best.file]
  })
}

async function writeInstaller({ member, file }: Companion, to: SuiteSink): Promise<void> {
  if (isImage(file)) await to.sink.place(file.file, member.repository)
  else await put(to, file.name, member.read(file.file.digest))
}

/** Icons go with the components that show them; the few of what is left out do no harm. */
function isIcons({ index }: StoredSuiteFile): boolean {
  return index.kind === 'appstream' && index.architecture === null
}

/** An archive of icons cannot be made one with another. */
async function writeIcons(
  group: readonly Companion[],
  { member, stored, file }: Companion,
  { reporter }: PublishTerms,
  to: SuiteSink,
): Promise<void> {
  const { name, index } = file
  await put(to, name, member.read(file.file.digest))
  // Clients ask for what Release lists under this name, in whatever compression it has.
  const plain = name === index.plainPath ? undefined : stored.release.files.get(index.plainPath)
  if (plain) to.listed.push(plain)
  const others = group.filter((other) => other.file.file.digest !== file.file.digest)
  if (others.length === 0) return
  const without = others.map((other) => other.member.repository).join(', ')
  reporter.report({
    type: 'warning',
    code: 'METADATA_DROPPED',
    message: `${inSuite(to.place, name)} is that of ${member.repository} alone, without that of ${without}`,
    repository: member.repository,
  })
}

function pruneAll(
  group: readonly Companion[],
  terms: PublishTerms,
  names: PublishedNames,
): readonly ByteSource[] {
  if (group.length === 1) return group.flatMap((each) => prune(each, terms, names) ?? [])
  // Translations are of descriptions, which many packages of several repositories have in common.
  const described = new Set<string>()
  const once = {
    has: names.has.bind(names),
    hasDescription: (component: string, name: string, digest: string) => {
      const description = `${name} ${digest}`
      if (described.has(description) || !names.hasDescription(component, name, digest)) return false
      described.add(description)
      return true
    },
  }
  return group.flatMap((each, index) => prune(each, terms, once, index === 0) ?? [])
}

/** `null` for what is not written: the documents that ours replace, and what is of no use without them. */
function prune(
  companion: Companion,
  terms: PublishTerms,
  names: Pick<PublishedNames, 'has' | 'hasDescription'>,
  hasHeader = true,
): ByteSource | null {
  const { index } = companion.file
  const { component, kind, plainPath } = index
  const has = (name: string) => names.has(component, kindOf(index), name)
  const open = () => openStored(companion, terms)
  switch (kind) {
    case 'translation': {
      const isPublished = (name: string, digest: string) => names.hasDescription(component, name, digest)
      return reported(pruneTranslation(open(), isPublished), companion, terms)
    }
    case 'contents':
      return pruneContents(open(), has)
    case 'commands':
      return reported(pruneCommands(open(), has, { hasHeader }), companion, terms)
    case 'appstream':
      if (!plainPath.endsWith('.yml')) return null
      return reported(pruneAppstream(open(), has, { hasHeader }), companion, terms)
    default:
      return null
  }
}

/** One after another, with an empty line between: stanzas stay stanzas. */
async function* joined(sources: readonly ByteSource[]): ByteSource {
  let end = '\n\n'
  for (const source of sources) {
    let isFirst = true
    for await (const chunk of source) {
      if (isFirst && end !== '\n\n') yield Buffer.from(end.endsWith('\n') ? '\n' : '\n\n')
      isFirst = false
      end = (end + Buffer.from(chunk.subarray(-2)).toString('latin1')).slice(-2)
      yield chunk
    }
  }
}

function kindOf({ architecture, isUdeb }: StoredSuiteFile['index']): AptAttributes['kind'] {
  if (architecture === 'source') return 'source'
  return isUdeb ? 'udeb' : 'deb'
}

function openStored({ member, stored, file }: Companion, { limits }: PublishTerms): ByteSource {
  const plain = stored.release.files.get(file.index.plainPath)
  const { digest, size } = file.file
  const maxSize = plain?.size ?? Math.max(size * limits.decompressedRatio, limits.decompressedMinimum)
  return decompress(member.read(digest), { maxSize })
}

async function* reported(
  pruned: AsyncGenerator<Uint8Array, PruneCounts>,
  { member, file }: Companion,
  { reporter }: PublishTerms,
): ByteSource {
  const counts = yield* pruned
  if (counts.unreadable === 0) return
  reporter.report({
    type: 'warning',
    code: 'METADATA_DROPPED',
    message: `${file.file.path}: ${counts.unreadable} entries cannot be read and are left out`,
    repository: member.repository,
  })
}
