import * as z from 'zod'
import type { Sha256 } from '../core/digest.ts'
import type { RelativePath } from '../core/path.ts'
import { formatManifest, parseManifest } from './manifest-text.ts'

/** A package file on a shelf. */
export interface ShelfEntry {
  /** `null` where nobody can tell: the list was lost, and this is what lies there. */
  readonly digest: Sha256 | null
  readonly size: number
  readonly wanted:
    | { readonly state: 'wanted' }
    /** No generation wants it since then (milliseconds of the epoch). It stays for the grace period. */
    | { readonly state: 'unwanted'; readonly since: number }
    /** The file is being removed, or already is: it counts as absent. */
    | { readonly state: 'removing' }
}

export type ShelfEntries = Map<RelativePath, ShelfEntry>

const header = z.object({ kind: z.literal('shelf') })

/** One line a file: digest (`-`: not known), size in bytes, since when it is unwanted (`-`: wanted, `removing`), path. */
export function formatShelf(entries: ReadonlyMap<RelativePath, ShelfEntry>): Uint8Array {
  return formatManifest({ kind: 'shelf' }, linesOf(entries))
}

function* linesOf(entries: ReadonlyMap<RelativePath, ShelfEntry>): Generator<string> {
  for (const [path, { digest, size, wanted }] of entries) {
    const since = wanted.state === 'unwanted' ? wanted.since : wanted.state === 'wanted' ? '-' : 'removing'
    yield `${digest ?? '-'}\t${size}\t${since}\t${path}`
  }
}

/** @throws as `parseManifest` */
export function parseShelf(bytes: Uint8Array, file: string): ShelfEntries {
  const entries: ShelfEntries = new Map()
  for (const line of parseManifest(bytes, file, header).lines) {
    const size = line.indexOf('\t') + 1
    const since = line.indexOf('\t', size) + 1
    const path = line.indexOf('\t', since) + 1
    entries.set(line.slice(path) as RelativePath, {
      digest: size === 2 ? null : (line.slice(0, size - 1) as Sha256),
      size: Number(line.slice(size, since - 1)),
      wanted: parseWanted(line.slice(since, path - 1)),
    })
  }
  return entries
}

const wanted = { state: 'wanted' } as const
const removing = { state: 'removing' } as const

function parseWanted(text: string): ShelfEntry['wanted'] {
  if (text === '-') return wanted
  return text === 'removing' ? removing : { state: 'unwanted', since: Number(text) }
}
