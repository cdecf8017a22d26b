import type { BlobRef } from '../../core/bytes.ts'
import type { Expectation } from '../../core/digest.ts'
import type { AppContext } from '../context.ts'

/**
 * Which of the expected files the pool holds already, whatever they were called when they came. What is found counts as
 * wanted now, so that garbage collection leaves it alone.
 * @returns a blob or `null` for each, in order. Without a checksum there is nothing to know a file by: `null`
 */
export async function findHeldBlobs(
  { catalog, now }: Pick<AppContext, 'catalog' | 'now'>,
  expectations: readonly Expectation[],
): Promise<readonly (BlobRef | null)[]> {
  const strongest = expectations.map(({ checksums }) => strongestOf(checksums))
  const known = strongest.filter((checksum) => checksum !== null)
  if (known.length === 0) return expectations.map(() => null)
  const candidates = await catalog.read((reader) => reader.blobByChecksum(known))
  const touched = await catalog.write((writer) =>
    writer.touchBlobs(
      candidates.flatMap((blob) => (blob ? [blob.digest] : [])),
      now(),
    ),
  )
  const rest = candidates.values()
  return strongest.map((checksum, index) => {
    if (checksum === null) return null
    const blob = rest.next().value ?? null
    const size = expectations[index]?.size
    return blob && touched.has(blob.digest) && (size === undefined || size === blob.size) ? blob : null
  })
}

/** MD5 is too easily forged to know a file by. SHA-1 is what its repository is trusted by anyhow. */
function strongestOf(checksums: Expectation['checksums']) {
  const order = ['sha256', 'sha512', 'sha384', 'sha224', 'sha1'] as const
  for (const algorithm of order) {
    const found = checksums.find((checksum) => checksum.algorithm === algorithm)
    if (found) return found
  }
  return null
}
