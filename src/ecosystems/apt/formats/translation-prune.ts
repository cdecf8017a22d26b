import { hash } from 'node:crypto'
import type { ByteSource } from '../../../core/bytes.ts'
import { FieldCursor } from './field-cursor.ts'
import { asBuffer } from './stanza.ts'
import { type PruneCounts, pruneStanzas } from './stanza-prune.ts'

/**
 * Makes a `Translation-xx` (decompressed) hold descriptions of published packages alone. Whole stanzas go; the rest is
 * verbatim, so where every package is published, so is the whole. Chunks are some 256 KiB.
 * @param keeps asked with the package's name and the digest of its English description, in lower case; empty where one is
 * not stated. Compare the digest with {@link descriptionMd5}: clients look descriptions up by it
 * @throws ChantalError `SIZE_LIMIT`
 * @see https://wiki.debian.org/DebianRepository/Format#A.22Translation.22_Indices
 */
export function pruneTranslation(
  source: ByteSource,
  keeps: (packageName: string, descriptionMd5: string) => boolean,
): AsyncGenerator<Uint8Array, PruneCounts, undefined> {
  return pruneStanzas(source, 'Translation', (stanza) =>
    keeps(stanza.get('Package') ?? '', stanza.get('Description-md5')?.toLowerCase() ?? ''),
  )
}

/**
 * By which clients look up the long or translated description of a package: what the stanza states as `Description-md5`, else
 * the MD5 of its own description as it is written there, from its first to its last character, and a line break.
 * @param stanza of a Packages index, or of a control file
 * @returns hex in lower case, `null` for a package without a description
 * @throws ChantalError `UPSTREAM_INVALID` for a stanza with a line that is no field
 * @see apt-pkg/deb/deblistparser.cc, `debListParser::Description_md5`
 */
export function descriptionMd5(stanza: Uint8Array): string | null {
  const text = asBuffer(stanza).toString('latin1')
  const cursor = new FieldCursor(text, 'stanza')
  let description = ''
  while (cursor.next()) {
    const name = cursor.name.toLowerCase()
    if (name === 'description-md5' && cursor.value !== '') return cursor.value.toLowerCase()
    if (name === 'description') {
      description = withoutSpacesAround(text.slice(text.indexOf(':', cursor.nameEnd) + 1, cursor.end))
    }
  }
  return description === '' ? null : hash('md5', Buffer.from(`${description}\n`, 'latin1'), 'hex')
}

/** ASCII's alone: in bytes read as latin1, other spaces are parts of characters. */
function withoutSpacesAround(text: string): string {
  let start = 0
  let end = text.length
  while (start < end && isSpace(text.charCodeAt(start))) start += 1
  while (end > start && isSpace(text.charCodeAt(end - 1))) end -= 1
  return text.slice(start, end)
}

function isSpace(code: number): boolean {
  return code === 0x20 || (code >= 0x09 && code <= 0x0d)
}
