import { type Checksum, parseChecksum } from '../../../core/digest.ts'
import { ChantalError, isChantalError } from '../../../core/errors.ts'
import { parseRelativePath, type RelativePath } from '../../../core/path.ts'
import { parseStanzaText, type Stanza } from './stanza.ts'

/** A difference between two states of an index. */
export interface PdiffPatch {
  /** The compressed file, relative to the folder of the index: `2026-05-09-1234.56.gz`. */
  readonly path: RelativePath
  /** Of the compressed file, in bytes; `null` where not stated. */
  readonly size: number | null
  /** Of the compressed file; empty where not stated. */
  readonly checksums: readonly Checksum[]
}

/**
 * Reads which patches a `Packages.diff/Index` (or that of another index) names, in its order, each once: all that clients
 * may ask for. What such an archive keeps beside them for itself (`X-Unmerged-...`) is not among them.
 * @param what names the file in errors
 * @throws ChantalError `UPSTREAM_INVALID`, `PATH_UNSAFE`
 * @see https://wiki.debian.org/DebianRepository/Format#indices_diffs, and apt-pkg/acquire-item.cc, `ParseDiffIndex`
 */
export function parsePdiffIndex(text: string, what: string): readonly PdiffPatch[] {
  const stanza = parseStanzaText(text.replace(/^[\r\n]+/, ''), what)
  const patches = new Map<string, { size: number | null; checksums: Checksum[] }>()
  for (const algorithm of algorithms) {
    for (const { name } of entries(stanza, `${algorithm}-Patches`, what))
      if (!patches.has(`${name}.gz`)) patches.set(`${name}.gz`, { size: null, checksums: [] })
  }
  for (const algorithm of algorithms) {
    for (const { name, size, hex } of entries(stanza, `${algorithm}-Download`, what)) {
      const patch = patches.get(name)
      if (patch === undefined) continue
      patch.size ??= size
      patch.checksums.push(checksumOf(algorithm, hex, what))
    }
  }
  return [...patches].map(([name, patch]) => ({ path: parseRelativePath(name), ...patch }))
}

const algorithms = ['SHA512', 'SHA256', 'SHA1'] as const

interface Entry {
  readonly hex: string
  readonly size: number
  readonly name: string
}

function* entries(stanza: Stanza, section: string, what: string): Generator<Entry, void, undefined> {
  for (const line of stanza.get(section)?.split('\n') ?? []) {
    if (line === '') continue
    const [, hex, size, name] = /^[ \t]*([0-9A-Fa-f]+)[ \t]+([0-9]{1,15})[ \t]+(\S+)$/.exec(line) ?? []
    if (hex === undefined || size === undefined || name === undefined) {
      throw new ChantalError(
        'UPSTREAM_INVALID',
        `${what}: expected "checksum size name" in ${section}, found ${JSON.stringify(line.slice(0, 200))}`,
      )
    }
    yield { hex, size: Number(size), name }
  }
}

function checksumOf(algorithm: string, hex: string, what: string): Checksum {
  try {
    return parseChecksum(algorithm, hex)
  } catch (cause) {
    if (!isChantalError(cause, 'DIGEST_INVALID')) throw cause
    throw new ChantalError('UPSTREAM_INVALID', `${what}: ${cause.message}`, { cause })
  }
}
