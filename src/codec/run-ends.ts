/** Bytes after which a run ends in any case. */
export const maxRunBytes = 4 * 1024 ** 2

/**
 * Whether a run of entries ends with the one of this key: so for one key in `average`, the same ones whatever stands around them.
 * What changes then leaves the runs of other entries as they are.
 */
export function endsRun(key: string, average: number): boolean {
  return spread(key) % average === 0
}

/** FNV-1a with its bits mixed: the same on every machine and in every version, or no run would be found again. */
function spread(key: string): number {
  let hash = 0x811c9dc5
  for (let index = 0; index < key.length; index++) hash = Math.imul(hash ^ key.charCodeAt(index), 0x01000193)
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d)
  return (hash ^ (hash >>> 12)) >>> 0
}
