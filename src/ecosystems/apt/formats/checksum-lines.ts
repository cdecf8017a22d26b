import { type Checksum, type ChecksumAlgorithm, parseChecksum } from '../../../core/digest.ts'
import { ChantalError, isChantalError } from '../../../core/errors.ts'

/** A file that a Release lists, or the stanza of a source package. */
export interface ListedFile {
  /** Without white space. As upstream wrote it: not yet checked as a path. */
  readonly path: string
  /** In bytes. */
  readonly size: number
  /** At most one of each algorithm. */
  readonly checksums: readonly Checksum[]
}

/**
 * Merges the sections of `checksum size path` lines, one for each algorithm; files are in the order in which they first appear.
 * apt takes the first where sections contradict each other; here that is an error.
 * @param sections values as a stanza has them; `null` where it has none
 * @throws ChantalError `UPSTREAM_INVALID` for a line that is something else, a checksum that does not fit its algorithm, one path
 * with two sizes or two checksums of one algorithm. The message starts with `what`.
 */
export function mergeChecksumLines(
  sections: readonly (readonly [ChecksumAlgorithm, string | null])[],
  what: string,
): ReadonlyMap<string, ListedFile> {
  const files = new Map<string, ListedFile & { readonly checksums: Checksum[] }>()
  for (const [algorithm, lines] of sections) {
    for (const line of lines?.split('\n') ?? []) {
      if (line === '') continue
      const { path, size, checksum } = parseLine(line, algorithm, what)
      const file = files.get(path)
      if (file === undefined) {
        files.set(path, { path, size, checksums: [checksum] })
        continue
      }
      if (file.size !== size) throw invalid(what, `${quote(path)} has two sizes: ${file.size} and ${size}`)
      const known = file.checksums.find((one) => one.algorithm === algorithm)
      if (known === undefined) file.checksums.push(checksum)
      else if (known.hex !== checksum.hex) {
        throw invalid(what, `${quote(path)} has two ${algorithm} checksums: ${known.hex} and ${checksum.hex}`)
      }
    }
  }
  return files
}

interface Line {
  readonly path: string
  readonly size: number
  readonly checksum: Checksum
}

function parseLine(line: string, algorithm: ChecksumAlgorithm, what: string): Line {
  const found = /^[ \t]*([0-9A-Fa-f]+)[ \t]+([0-9]{1,15})[ \t]+([^\s]+)$/.exec(line)
  if (found === null) throw invalid(what, `a line is not "checksum size path": ${quote(line)}`)
  const [, hex = '', size = '', path = ''] = found
  try {
    return { path, size: Number(size), checksum: parseChecksum(algorithm, hex) }
  } catch (error) {
    if (!isChantalError(error, 'DIGEST_INVALID')) throw error
    throw invalid(what, `${quote(path)} has an unusable checksum: ${error.message}`, error)
  }
}

function quote(text: string): string {
  return JSON.stringify(text.slice(0, 300))
}

function invalid(what: string, problem: string, cause?: unknown): ChantalError {
  return new ChantalError('UPSTREAM_INVALID', `${what}: ${problem}`, { cause })
}
