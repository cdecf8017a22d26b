import type { StoredPackage } from '../../core/model.ts'
import type { AptAttributes } from './attributes.ts'
import { asBuffer, parseStanza } from './formats/stanza.ts'
import { replaceField } from './formats/stanza-writer.ts'
import { upstreamPath } from './index-reader.ts'
import type { AptOptions } from './options.ts'

const phasing = 'Phased-Update-Percentage'

/** Upstream's stanza, byte for byte, but for where the package lies and, if that is configured, how many machines get it. */
export function publishedStanza(
  stanza: Uint8Array,
  pkg: StoredPackage<AptAttributes>,
  options: AptOptions,
): Uint8Array {
  const placed = pkg.attributes.kind === 'source' ? withDirectory(stanza, pkg) : withFilename(stanza, pkg)
  if (options.phased_updates !== 'release' || !asBuffer(placed).includes(phasing)) return placed
  return replaceField(placed, phasing, null)
}

function withFilename(stanza: Uint8Array, { files: [{ path }] }: StoredPackage<AptAttributes>): Uint8Array {
  // Nearly always; and quicker than to read the stanza.
  if (asBuffer(stanza).includes(`\nFilename: ${path}\n`)) return stanza
  const filename = parseStanza(stanza).get('Filename') ?? ''
  return filename.replace(/^\.\//, '') === path ? stanza : replaceField(stanza, 'Filename', path)
}

function withDirectory(stanza: Uint8Array, { files: [{ path }] }: StoredPackage<AptAttributes>): Uint8Array {
  const folder = path.slice(0, Math.max(path.lastIndexOf('/'), 0))
  if (asBuffer(stanza).includes(`\nDirectory: ${folder}\n`)) return stanza
  const directory = parseStanza(stanza).get('Directory') ?? ''
  const isThere =
    directory === folder || (directory !== '' && upstreamPath(`${directory}/x`) === `${folder}/x`)
  return isThere || folder === '' ? stanza : replaceField(stanza, 'Directory', folder)
}
