/** Lists of trouble in messages stop here; `details` have them all. */
const named = 10

/** The first ten, and how many there are besides: `a, b and 3 more`. */
export function enumerate<T>(items: readonly T[], show: (item: T) => string = String): string {
  const more = items.length - named
  return items.slice(0, named).map(show).join(', ') + (more > 0 ? ` and ${more} more` : '')
}
