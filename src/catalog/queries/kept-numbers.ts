import type { Session } from '../engine.ts'

/** Numbers and times of one repository's sealed and kept revisions, oldest first. */
export interface KeptNumbers {
  /** Those in which an interval row is visible. */
  in(addedIn: number, removedIn: number | null): readonly number[]
  /** When the newest of them was sealed; `null` where there is none. */
  newestSealedAt(addedIn: number, removedIn: number | null): number | null
}

/** Of every repository, by its row's key. A year of daily revisions is a few kilobytes. */
export async function keptNumbers({ db }: Session): Promise<ReadonlyMap<number, KeptNumbers>> {
  const rows = await db
    .selectFrom('revision')
    .select(['repository', 'number', 'sealed_at'])
    .where('pruned_at', 'is', null)
    .where('sealed_at', 'is not', null)
    .$narrowType<{ sealed_at: number }>()
    .orderBy('repository')
    .orderBy('number')
    .execute()
  return new Map(
    Map.groupBy(rows, ({ repository }) => repository)
      .entries()
      .map(([repository, revisions]) => [repository, numbersOf(revisions)]),
  )
}

function numbersOf(
  revisions: readonly { readonly number: number; readonly sealed_at: number }[],
): KeptNumbers {
  const numbers = revisions.map(({ number }) => number)
  return {
    in: (addedIn, removedIn) =>
      numbers.slice(
        firstFrom(numbers, addedIn),
        removedIn === null ? undefined : firstFrom(numbers, removedIn),
      ),
    newestSealedAt: (addedIn, removedIn) => {
      const end = removedIn === null ? numbers.length : firstFrom(numbers, removedIn)
      const newest = revisions[end - 1]
      return newest && newest.number >= addedIn ? newest.sealed_at : null
    },
  }
}

/** Index of the first number that is at least `minimum`. */
function firstFrom(numbers: readonly number[], minimum: number): number {
  let low = 0
  let high = numbers.length
  while (low < high) {
    const middle = (low + high) >> 1
    if ((numbers[middle] ?? minimum) < minimum) low = middle + 1
    else high = middle
  }
  return low
}
