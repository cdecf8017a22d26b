import type { StoredFile, StoredPackage } from '../../core/model.ts'
import { joinRelativePath, type RelativePath } from '../../core/path.ts'
import type { AptAttributes } from './attributes.ts'
import { asBuffer, parseStanza } from './formats/stanza.ts'
import { replaceField } from './formats/stanza-writer.ts'
import { upstreamPath } from './index-reader.ts'
import type { AptOptions } from './options.ts'

const phasing = 'Phased-Update-Percentage'

/**
 * Upstream's stanza, byte for byte, but for where the package lies, for a SHA-256 where upstream has none that apt would trust, and,
 * if that is configured, for how many machines get it.
 * @param folder of the tree, below which the repository's packages stand
 */
export function publishedStanza(
  stanza: Uint8Array,
  pkg: StoredPackage<AptAttributes>,
  options: AptOptions,
  folder: RelativePath | null = null,
): Uint8Array {
  const [file] = pkg.files
  const path = folder === null ? file.path : joinRelativePath(folder, file.path)
  const placed =
    pkg.attributes.kind === 'source'
      ? withDirectory(stanza, path)
      : withStrongChecksum(withFilename(stanza, path), file)
  if (options.phased_updates !== 'release' || !asBuffer(placed).includes(phasing)) return placed
  return replaceField(placed, phasing, null)
}

function withFilename(stanza: Uint8Array, path: RelativePath): Uint8Array {
  // Nearly always; and quicker than to read the stanza.
  if (asBuffer(stanza).includes(`\nFilename: ${path}\n`)) return stanza
  const filename = parseStanza(stanza).get('Filename') ?? ''
  return filename.replace(/^\.\//, '') === path ? stanza : replaceField(stanza, 'Filename', path)
}

function withStrongChecksum(stanza: Uint8Array, { digest }: StoredFile): Uint8Array {
  const bytes = asBuffer(stanza)
  if (bytes.includes('\nSHA256: ') || bytes.includes('\nSHA512: ')) return stanza
  const { get } = parseStanza(stanza)
  return get('SHA256') === null && get('SHA512') === null ? replaceField(stanza, 'SHA256', digest) : stanza
}

function withDirectory(stanza: Uint8Array, path: RelativePath): Uint8Array {
  const folder = path.slice(0, Math.max(path.lastIndexOf('/'), 0))
  if (asBuffer(stanza).includes(`\nDirectory: ${folder}\n`)) return stanza
  const directory = parseStanza(stanza).get('Directory') ?? ''
  const isThere =
    directory === folder || (directory !== '' && upstreamPath(`${directory}/x`) === `${folder}/x`)
  return isThere || folder === '' ? stanza : replaceField(stanza, 'Directory', folder)
}
