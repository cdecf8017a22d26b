import { decompress } from '../../codec/compression.ts'
import type { ByteSource } from '../../core/bytes.ts'
import type { AptAttributes } from './attributes.ts'
import { pruneAppstream } from './formats/appstream-prune.ts'
import { pruneCommands } from './formats/commands-prune.ts'
import { pruneContents } from './formats/contents-prune.ts'
import type { PruneCounts } from './formats/stanza-prune.ts'
import { pruneTranslation } from './formats/translation-prune.ts'
import { put, type SuiteSink, writeIndex } from './index-file.ts'
import { isImage } from './mirror-publisher.ts'
import type { PublishedNames } from './published-names.ts'
import type { AptPublishInput } from './publisher.ts'
import type { StoredSuite, StoredSuiteFile } from './stored-suites.ts'

/** What accompanies packages, pruned to those that are published: descriptions, lists of files, AppStream, commands. */
export async function writeCompanions(
  input: AptPublishInput,
  suite: StoredSuite,
  names: PublishedNames,
  to: SuiteSink,
): Promise<void> {
  for (const stored of suite.files) {
    const { name, file, index } = stored
    if (index.kind === 'installer' && isImage(stored)) await to.sink.place(file, input.repository)
    else if (index.kind === 'installer') await put(to, name, input.read(file.digest))
    else if (isIcons(stored)) {
      await put(to, name, input.read(file.digest))
      // Clients ask for what Release lists under this name, in whatever compression it has.
      const plain = name === index.plainPath ? undefined : suite.release.files.get(index.plainPath)
      if (plain) to.listed.push(plain)
    } else {
      const pruned = prune(input, suite, stored, names)
      if (pruned) await writeIndex(to, index.plainPath, pruned)
    }
  }
}

/** Icons go with the components that show them; the few of what is left out do no harm. */
function isIcons({ index }: StoredSuiteFile): boolean {
  return index.kind === 'appstream' && index.architecture === null
}

/** `null` for what is not written: the documents that ours replace, and what is of no use without them. */
function prune(
  input: AptPublishInput,
  suite: StoredSuite,
  stored: StoredSuiteFile,
  names: PublishedNames,
): ByteSource | null {
  const { component, kind, plainPath } = stored.index
  const has = (name: string) => names.has(component, kindOf(stored.index), name)
  const open = () => openStored(input, suite, stored)
  switch (kind) {
    case 'translation': {
      const isPublished = (name: string, digest: string) => names.hasDescription(component, name, digest)
      return reported(pruneTranslation(open(), isPublished), input, stored)
    }
    case 'contents':
      return pruneContents(open(), has)
    case 'commands':
      return reported(pruneCommands(open(), has), input, stored)
    case 'appstream':
      return plainPath.endsWith('.yml') ? reported(pruneAppstream(open(), has), input, stored) : null
    default:
      return null
  }
}

function kindOf({ architecture, isUdeb }: StoredSuiteFile['index']): AptAttributes['kind'] {
  if (architecture === 'source') return 'source'
  return isUdeb ? 'udeb' : 'deb'
}

function openStored(
  { limits, read }: AptPublishInput,
  { release }: StoredSuite,
  { file, index }: StoredSuiteFile,
): ByteSource {
  const plain = release.files.get(index.plainPath)
  const maxSize = plain?.size ?? Math.max(file.size * limits.decompressedRatio, limits.decompressedMinimum)
  return decompress(read(file.digest), { maxSize })
}

async function* reported(
  pruned: AsyncGenerator<Uint8Array, PruneCounts>,
  { reporter, repository }: AptPublishInput,
  { file }: StoredSuiteFile,
): ByteSource {
  const counts = yield* pruned
  if (counts.unreadable === 0) return
  reporter.report({
    type: 'warning',
    code: 'METADATA_DROPPED',
    message: `${file.path}: ${counts.unreadable} entries cannot be read and are left out`,
    repository,
  })
}
