import * as z from 'zod'
import { type Checksum, parseChecksum } from '../../../core/digest.ts'
import { ChantalError } from '../../../core/errors.ts'
import { parseRelativePath, type RelativePath } from '../../../core/path.ts'

/** A file that belongs to an installable tree and to no package: the EULA, keys, `media.repo`. */
export interface ExtraFile {
  readonly path: RelativePath
  /** In bytes; `null` where not stated. */
  readonly size: number | null
  /** Those whose algorithm is known; may be empty. */
  readonly checksums: readonly Checksum[]
}

const schema = z.object({
  data: z.array(
    z.object({
      file: z.string(),
      size: z.int().nonnegative().nullish(),
      checksums: z.record(z.string(), z.string()).nullish(),
    }),
  ),
})

/**
 * What a file by the name `extra_files.json` is: nothing vouches for it, and servers answer with something of their own, status 200, for
 * what they do not have. A page, or a JSON document without `data`, stands for no file; anything else that is no JSON was to be one.
 */
export function judgeExtraFiles(text: string): 'list' | 'another document' | 'malformed' {
  const plain = text.replace(/^\uFEFF/, '')
  if (/^\s*</.test(plain)) return 'another document'
  try {
    const value: unknown = JSON.parse(plain)
    return typeof value === 'object' && value !== null && 'data' in value ? 'list' : 'another document'
  } catch {
    return 'malformed'
  }
}

/**
 * Reads `extra_files.json`, which kickstart trees of RHEL carry; each path once.
 * @throws ChantalError `UPSTREAM_INVALID`, `PATH_UNSAFE` for a file outside the tree
 * @see productmd, `productmd/extra_files.py`, `dump_for_tree`
 */
export function parseExtraFiles(text: string): readonly ExtraFile[] {
  const files = new Map<RelativePath, ExtraFile>()
  for (const { file, size, checksums } of readJson(text).data) {
    const path = parseRelativePath(file)
    if (!files.has(path))
      files.set(path, { path, size: size ?? null, checksums: knownChecksums(checksums ?? {}) })
  }
  return [...files.values()]
}

function readJson(text: string): z.infer<typeof schema> {
  try {
    return schema.parse(JSON.parse(text.replace(/^\uFEFF/, '')))
  } catch (cause) {
    throw new ChantalError('UPSTREAM_INVALID', 'extra_files.json cannot be read', { cause })
  }
}

function knownChecksums(stated: Readonly<Record<string, string>>): readonly Checksum[] {
  return Object.entries(stated).flatMap(([algorithm, hex]) => {
    try {
      return [parseChecksum(algorithm, hex)]
    } catch {
      // An algorithm of another day proves nothing to us; the others still do.
      return []
    }
  })
}
