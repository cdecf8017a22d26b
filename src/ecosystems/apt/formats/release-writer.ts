import type { ChecksumAlgorithm } from '../../../core/digest.ts'
import { ChantalError } from '../../../core/errors.ts'
import type { ReleaseFile } from './release.ts'
import { serializeStanza } from './stanza-writer.ts'

/**
 * A Release file: the fields in their order, then `SHA256` with every file, and `SHA512` with those that have one. MD5 and SHA-1
 * are left out: apt trusts neither.
 * @throws ChantalError `CHECKSUM_MISSING` for a file without SHA-256; `UPSTREAM_INVALID` for what no stanza can hold, and a path
 * with white space or a control character
 */
export function serializeRelease(
  fields: readonly (readonly [name: string, value: string])[],
  files: readonly ReleaseFile[],
): string {
  const sha512 = section(files, 'sha512')
  return serializeStanza([
    ...fields,
    ['SHA256', section(files, 'sha256')],
    ...(sha512 === '' ? [] : [['SHA512', sha512] as const]),
  ])
}

/** Below the field's name, sizes in a column. */
function section(files: readonly ReleaseFile[], algorithm: ChecksumAlgorithm): string {
  return files
    .map((file) => {
      const checksum = file.checksums.find((one) => one.algorithm === algorithm)
      if (/[\s\u0000-\u001f\u007f-\u009f]/.test(file.path)) {
        throw new ChantalError(
          'UPSTREAM_INVALID',
          `a Release file cannot list ${JSON.stringify(file.path.slice(0, 300))}`,
        )
      }
      if (checksum !== undefined) return `\n${checksum.hex} ${String(file.size).padStart(8)} ${file.path}`
      if (algorithm !== 'sha256') return ''
      throw new ChantalError('CHECKSUM_MISSING', `no SHA-256 of ${file.path}`)
    })
    .join('')
}
