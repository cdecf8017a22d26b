import type { UpstreamFile } from '../../core/model.ts'

export interface DistinctFiles {
  /** Of files that are the same, the first. */
  readonly distinct: readonly UpstreamFile[]
  /** The others, by the first. */
  readonly twins: ReadonlyMap<UpstreamFile, readonly UpstreamFile[]>
}

/**
 * Several packages may have one file: suites of an APT repository list the same package, and versions of a source share a tarball. Files are
 * the same that are asked for at one place and known by the same checksums; where nothing vouches for them, each is itself.
 */
export function distinctFiles(files: readonly UpstreamFile[]): DistinctFiles {
  const byLocation = new Map<string | URL, UpstreamFile>()
  const distinct: UpstreamFile[] = []
  const twins = new Map<UpstreamFile, UpstreamFile[]>()
  for (const file of files) {
    const first = byLocation.get(file.location)
    if (first && isSame(first, file)) {
      const others = twins.get(first)
      if (others) others.push(file)
      else twins.set(first, [file])
      continue
    }
    if (!first) byLocation.set(file.location, file)
    distinct.push(file)
  }
  return { distinct, twins }
}

/** What may be left out and where else to ask belongs to a file as much as its bytes. */
function isSame(a: UpstreamFile, b: UpstreamFile): boolean {
  const [own, other] = [a.expect.checksums, b.expect.checksums]
  if (own.length === 0 || own.length !== other.length) return false
  if (a.expect.size !== b.expect.size || a.expect.maxSize !== b.expect.maxSize) return false
  if (a.isOptional !== b.isOptional || a.fallback !== b.fallback) return false
  return own.every(({ algorithm, hex }) =>
    other.some((checksum) => checksum.algorithm === algorithm && checksum.hex === hex),
  )
}
