/** Lists of trouble for people stop here; results for machines have them all. */
const shown = 10

/** The first ten, each as the lines it takes, and how many more there are. */
export function firstOf(items: readonly (readonly string[])[]): readonly (readonly string[])[] {
  return items.length <= shown
    ? items
    : [...items.slice(0, shown), [`  ... and ${items.length - shown} more`]]
}
