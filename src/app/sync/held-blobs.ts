import type { BlobRef } from '../../core/bytes.ts'
import type { Expectation, Sha256 } from '../../core/digest.ts'
import type { AppContext } from '../context.ts'

/** Looks at so many names at once. */
const looksAtOnce = 64

/**
 * Which of the expected files the pool holds already, whatever they were called when they came. What is found counts as
 * wanted now, so that garbage collection leaves it alone. A blob that was set aside, or lost with a disk, is not held.
 * @returns a blob or `null` for each, in order. Without a checksum there is nothing to know a file by: `null`
 */
export async function findHeldBlobs(
  { catalog, pool, now }: Pick<AppContext, 'catalog' | 'pool' | 'now'>,
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
  const present = await presentIn(pool, [...touched])
  const rest = candidates.values()
  return strongest.map((checksum, index) => {
    if (checksum === null) return null
    const blob = rest.next().value ?? null
    const size = expectations[index]?.size
    return blob && present.has(blob.digest) && (size === undefined || size === blob.size) ? blob : null
  })
}

async function presentIn(pool: AppContext['pool'], digests: readonly Sha256[]): Promise<ReadonlySet<Sha256>> {
  const present = new Set<Sha256>()
  for (let start = 0; start < digests.length; start += looksAtOnce) {
    const batch = digests.slice(start, start + looksAtOnce)
    const found = await Promise.all(batch.map((digest) => pool.has(digest)))
    for (const [index, digest] of batch.entries()) if (found[index]) present.add(digest)
  }
  return present
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
