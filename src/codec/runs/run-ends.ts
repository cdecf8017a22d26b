/** Bytes after which a run ends in any case. */
export const maxRunBytes = 4 * 1024 ** 2

/**
 * Whether a run of entries ends with the one of this key: so for one key in `average`, the same ones whatever stands around them.
 * What changes then leaves the runs of other entries as they are.
 * @param length entries in the run so far, this one included. With it, none ends before half the average: without very long
 * ones, fewer entries have a change in their run. A change may then move the next ends too, until one falls where it was.
 */
export function endsRun(key: string, average: number, length?: number): boolean {
  if (length === undefined) return spread(key) % average === 0
  const half = Math.ceil(average / 2)
  return length >= half && spread(key) % half === 0
}

/** FNV-1a with its bits mixed: the same on every machine and in every version, or no run would be found again. */
function spread(key: string): number {
  let hash = 0x811c9dc5
  for (let index = 0; index < key.length; index++) hash = Math.imul(hash ^ key.charCodeAt(index), 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d)
  return (hash ^ (hash >>> 12)) >>> 0
}
