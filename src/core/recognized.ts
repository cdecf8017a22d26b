import type { UnchangedPackage, UpstreamPackage } from './model.ts'

/** An index entry that is the latest revision's, byte for byte in all that counts, and was not read again. */
export interface RecognizedPackage extends UnchangedPackage {
  /** Where its one file stands. */
  readonly path: string
}

/**
 * Whether no two of them have a key or a path in common. Where they do, what was not read is needed to tell which of them stands.
 */
export function isEachOnce(
  packages: readonly UpstreamPackage[],
  recognized: readonly RecognizedPackage[],
): boolean {
  const keys = new Set<string>()
  const paths = new Set<string>()
  for (const { key, path } of recognized) {
    keys.add(key)
    paths.add(path)
  }
  if (keys.size < recognized.length || paths.size < recognized.length) return false
  return packages.every(({ key, files }) => !keys.has(key) && !files.some(({ path }) => paths.has(path)))
}

/** What stands in an entry from after `mark` up to the byte `end`, as Latin-1; `null` where the mark is not there. */
export function textBetween(entry: Buffer, mark: Uint8Array, end: number): string | null {
  const found = entry.indexOf(mark)
  if (found < 0) return null
  const start = found + mark.byteLength
  return entry.toString('latin1', start, entry.indexOf(end, start))
}
