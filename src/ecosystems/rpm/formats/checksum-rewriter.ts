import type { Sha256 } from '../../../core/digest.ts'
import { ChantalError } from '../../../core/errors.ts'
import { FragmentReader } from './fragment-reader.ts'
import type { RepodataDocument } from './repodata-document.ts'

/**
 * Gives a plain fragment the package's SHA-256 in place of the checksum that it has: in primary the `<checksum>`, elsewhere the
 * `pkgid` that refers to it. Every other byte stays.
 * @throws ChantalError `UPSTREAM_INVALID` where the fragment has none
 */
export function rewriteChecksum(fragment: Uint8Array, document: RepodataDocument, digest: Sha256): Buffer {
  const bytes = Buffer.from(fragment.buffer, fragment.byteOffset, fragment.byteLength)
  const reader = new FragmentReader(bytes)
  while (reader.next()) {
    const { start, end } = reader.range
    if (document !== 'primary' && reader.depth === 0) {
      const tag = reader.tag().replace(/(\spkgid=")[^"]*"/, `$1${digest}"`)
      return Buffer.concat([bytes.subarray(0, start), Buffer.from(tag), bytes.subarray(end)])
    }
    if (reader.depth === 1 && reader.name === 'checksum') {
      const close = bytes.indexOf('</checksum', end)
      const after = bytes.indexOf('>', close) + 1
      if (close < 0 || after === 0) break
      const element = `<checksum type="sha256" pkgid="YES">${digest}</checksum>`
      return Buffer.concat([bytes.subarray(0, start), Buffer.from(element), bytes.subarray(after)])
    }
  }
  throw new ChantalError('UPSTREAM_INVALID', `${document}.xml: a package has no checksum`)
}
