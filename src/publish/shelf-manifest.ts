import { z } from 'zod'
import type { BlobRef } from '../core/bytes.ts'
import { parseSha256 } from '../core/digest.ts'
import { parseRelativePath, type RelativePath } from '../core/path.ts'
import { damaged, formatManifest, parseManifest } from './manifest-text.ts'

/** A package file on a shelf. */
export interface ShelfEntry extends BlobRef {
  readonly wanted:
    | { readonly state: 'wanted' }
    /** No generation wants it since then (milliseconds of the epoch). It stays for the grace period. */
    | { readonly state: 'unwanted'; readonly since: number }
    /** The file is being removed, or already is: it counts as absent. */
    | { readonly state: 'removing' }
}

export type ShelfEntries = Map<RelativePath, ShelfEntry>

const header = z.object({ kind: z.literal('shelf') })

/** One line a file: digest, size in bytes, since when it is unwanted (`-`: wanted, `removing`), path. */
export function formatShelf(entries: ReadonlyMap<RelativePath, ShelfEntry>): string {
  const lines: string[] = []
  for (const [path, { digest, size, wanted }] of entries) {
    const since = wanted.state === 'unwanted' ? wanted.since : wanted.state === 'wanted' ? '-' : 'removing'
    lines.push(`${digest}\t${size}\t${since}\t${path}`)
  }
  return formatManifest({ kind: 'shelf' }, lines)
}

export function parseShelf(text: string, file: string): ShelfEntries {
  const entries: ShelfEntries = new Map()
  for (const line of parseManifest(text, file, header).lines) {
    const [digest, size, since, path] = line.split('\t')
    if (digest === undefined || size === undefined || since === undefined || path === undefined) {
      throw damaged(file)
    }
    entries.set(parseRelativePath(path), {
      digest: parseSha256(digest),
      size: Number(size),
      wanted: parseWanted(since),
    })
  }
  return entries
}

function parseWanted(text: string): ShelfEntry['wanted'] {
  if (text === '-') return { state: 'wanted' }
  return text === 'removing' ? { state: 'removing' } : { state: 'unwanted', since: Number(text) }
}
