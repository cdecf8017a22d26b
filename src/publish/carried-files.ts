import type { RelativePath } from '../core/path.ts'
import type { DirectEntry, GenerationManifest, MetadataEntry } from './generation-manifest.ts'
import { foldersAbove } from './tree-layout.ts'

/** What of the previous generation goes along for clients midway. */
export interface CarriedFiles {
  readonly metadata: readonly MetadataEntry[]
  readonly direct: readonly DirectEntry[]
}

/**
 * The previous generation's `addressed` files and the packages that lie in it: its own, which stop being current now, and
 * what it carried itself, until the grace period is over. What the new tree has in their place comes first.
 * @param next.has whether the new tree has a file there
 * @param next.files every file of the new tree
 */
export function carriedFiles(
  previous: GenerationManifest | null,
  next: {
    has(path: RelativePath): boolean
    readonly files: Iterable<RelativePath>
    readonly publishedAt: Date
    readonly graceMs: number
  },
): CarriedFiles {
  if (previous === null) return { metadata: [], direct: [] }
  const folders = new Set<string>()
  for (const path of next.files) {
    for (const folder of foldersAbove(path)) {
      if (folders.has(folder)) break
      folders.add(folder)
    }
  }
  const carry = <Entry extends { readonly path: RelativePath; readonly supersededAt: Date | null }>(
    entries: readonly Entry[],
  ): Entry[] =>
    entries.flatMap((entry) => {
      if (next.has(entry.path) || folders.has(entry.path)) return []
      if ([...foldersAbove(entry.path)].some((folder) => next.has(folder as RelativePath))) return []
      const supersededAt = entry.supersededAt ?? next.publishedAt
      const isOver = next.publishedAt.getTime() - supersededAt.getTime() >= next.graceMs
      return isOver ? [] : [{ ...entry, supersededAt }]
    })
  return {
    metadata: carry(previous.metadata.filter(({ role }) => role === 'addressed')),
    direct: carry(previous.direct),
  }
}
