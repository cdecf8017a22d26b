import type { RelativePath } from '../core/path.ts'
import { isExpired, type Shelf } from './shelf.ts'
import type { ShelfClaims } from './shelf-claims.ts'
import type { SweepTerms } from './swept-note.ts'

/**
 * Marks what no claim wants, and removes what none has wanted for the grace period.
 * @returns since when, in milliseconds, the oldest of what stays has been unwanted; `null` where all is wanted
 */
export async function sweepShelves(
  shelves: readonly Shelf[],
  claims: ShelfClaims,
  terms: SweepTerms,
): Promise<number | null> {
  const unwanted = new Map(shelves.map(({ number, entries }) => [number, new Set<string>(entries.keys())]))
  await takeOutWanted(unwanted, claims)
  let dueAt: number | null = null
  for (const shelf of shelves) {
    const due = await sweepShelf(shelf, unwanted.get(shelf.number) ?? new Set(), terms)
    if (due !== null) dueAt = Math.min(dueAt ?? due, due)
  }
  return dueAt
}

/**
 * Takes out of `unwanted` (by shelf) what any claim wants, and everything while one is damaged: that goes with its generation. One claim in
 * memory at a time, none twice with the same paths, and none once nothing is left in question.
 */
export async function takeOutWanted(
  unwanted: ReadonlyMap<number, Set<string>>,
  claims: ShelfClaims,
): Promise<void> {
  const seen = new Set<string>()
  // Newest generations first: they want most of what is there.
  const names = (await claims.names()).toSorted((a, b) => (afterAt(a) < afterAt(b) ? 1 : -1))
  for (const name of names) {
    if ([...unwanted.values()].every(({ size }) => size === 0)) return
    const claim = await claims.read(name)
    if (claim === 'damaged') {
      for (const files of unwanted.values()) files.clear()
      return
    }
    if (claim === null || seen.has(`${claim.shelf}:${claim.sum}`)) continue
    seen.add(`${claim.shelf}:${claim.sum}`)
    const inQuestion = unwanted.get(claim.shelf)
    for (const file of claim.paths) inQuestion?.delete(file)
  }
}

/** @returns since when the oldest of what stays has been unwanted */
async function sweepShelf(
  shelf: Shelf,
  unwanted: ReadonlySet<string>,
  { now, graceMs }: SweepTerms,
): Promise<number | null> {
  const expired: RelativePath[] = []
  let oldest: number | null = null
  let isChanged = false
  for (const [file, entry] of shelf.entries) {
    if (!unwanted.has(file)) {
      if (entry.wanted.state !== 'unwanted') continue
      shelf.entries.set(file, { ...entry, wanted: { state: 'wanted' } })
      isChanged = true
      continue
    }
    if (entry.wanted.state === 'wanted') {
      const marked = { ...entry, wanted: { state: 'unwanted' as const, since: now.getTime() } }
      shelf.entries.set(file, marked)
      isChanged = true
    }
    const current = shelf.entries.get(file) ?? entry
    if (isExpired(current, now.getTime() - graceMs)) expired.push(file)
    else if (current.wanted.state === 'unwanted') {
      oldest = Math.min(oldest ?? current.wanted.since, current.wanted.since)
    }
  }
  if (expired.length > 0) await shelf.remove(expired)
  else if (isChanged || shelf.entries.size === 0) await shelf.save()
  return oldest
}

function afterAt(name: string): string {
  return name.slice(name.lastIndexOf('@') + 1)
}
