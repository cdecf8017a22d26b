import { childrenOf, childText, readXmlRecords, type XmlElement } from '../../../codec/xml.ts'
import type { ByteSource } from '../../../core/bytes.ts'
import { type Checksum, parseChecksum } from '../../../core/digest.ts'
import { parseRelativePath, type RelativePath } from '../../../core/path.ts'
import { formatNevra } from './nevra.ts'

/** A delta package: from an installed build it makes a newer one. */
export interface DeltaPackage {
  readonly path: RelativePath
  /** In bytes; `null` where not stated. */
  readonly size: number | null
  /** `null` where not stated. */
  readonly checksum: Checksum | null
  /** The package it makes: `name-epoch:version-release.arch`. */
  readonly makes: string
  /** The build it starts from, in the same notation. */
  readonly from: string
}

/**
 * Reads prestodelta.xml (Fedora) or deltainfo.xml (SUSE, older yum), one package at a time.
 * @throws ChantalError `UPSTREAM_INVALID`, `SIZE_LIMIT`, `PATH_UNSAFE`, `DIGEST_INVALID`
 */
export async function* readDeltas(source: ByteSource): AsyncGenerator<DeltaPackage, void, undefined> {
  for await (const part of readXmlRecords(source, ['prestodelta', 'deltainfo'])) {
    if (part.kind !== 'record' || part.element.name !== 'newpackage') continue
    const element = part.element
    for (const delta of childrenOf(element, 'delta')) {
      const path = childText(delta, 'filename')
      if (path === null) continue
      const size = childText(delta, 'size')
      yield {
        path: parseRelativePath(path),
        size: size !== null && /^\d{1,15}$/.test(size) ? Number(size) : null,
        checksum: checksumOf(delta),
        makes: nevraOf(element, element, ''),
        from: nevraOf(element, delta, 'old'),
      }
    }
  }
}

function checksumOf(delta: XmlElement): Checksum | null {
  const [checksum] = childrenOf(delta, 'checksum')
  return checksum ? parseChecksum(checksum.attributes.get('type') ?? '', checksum.text) : null
}

function nevraOf(named: XmlElement, versioned: XmlElement, prefix: '' | 'old'): string {
  const versionPart = (key: string): string => versioned.attributes.get(`${prefix}${key}`) ?? ''
  return formatNevra({
    name: named.attributes.get('name') ?? '',
    epoch: versionPart('epoch') || '0',
    version: versionPart('version'),
    release: versionPart('release'),
    architecture: named.attributes.get('arch') ?? '',
  })
}
