import type { UpstreamPackage } from './model.ts'

/** The filters that every ecosystem shares, and its own. */
export interface FilterSettings {
  /** Whether any filter is set. */
  readonly any: boolean
  /** Searched for in the name, not matched against the whole of it. */
  readonly patterns: { readonly include: readonly RegExp[]; readonly exclude: readonly RegExp[] }
  /** `include: null` takes every architecture. */
  readonly architectures: { readonly include: readonly string[] | null; readonly exclude: readonly string[] }
  /** Bytes, both ends included. */
  readonly size: { readonly min: number | null; readonly max: number | null }
  readonly buildTime: {
    readonly newerThan: Date | null
    readonly olderThan: Date | null
    readonly lastDays: number | null
  }
  /** Newest versions kept of each package; `null` keeps all. */
  readonly keepNewest: number | null
  /** What the ecosystem's own schema made of `filters.<its key>`; `null` where that is not given. */
  readonly ecosystem: object | null
}

/**
 * Whether the shared filters keep a package. Exclusion wins over inclusion. A filter by size or build time keeps only packages
 * known to meet it; a package without an architecture fits every one.
 * @param now what `lastDays` counts back from
 * @param universal architectures that fit every machine: kept unless they are excluded by name
 */
export function wantsGeneric(
  filters: FilterSettings,
  now: Date,
  universal: readonly string[] = [],
): (pkg: UpstreamPackage) => boolean {
  const { patterns, architectures, size, buildTime } = filters
  const days = buildTime.lastDays === null ? null : now.getTime() - buildTime.lastDays * 86_400_000
  const since = latest(days, buildTime.newerThan?.getTime() ?? null)
  const before = buildTime.olderThan?.getTime() ?? null
  const included = architectures.include && new Set([...architectures.include, ...universal])
  const excluded = new Set(architectures.exclude)

  return ({ name, architecture, files, builtAt }) => {
    if (patterns.include.length > 0 && !patterns.include.some((pattern) => name.search(pattern) !== -1))
      return false
    if (patterns.exclude.some((pattern) => name.search(pattern) !== -1)) return false
    if (architecture !== null) {
      if (included && !included.has(architecture)) return false
      if (excluded.has(architecture)) return false
    }
    return (
      between(files[0].expect.size ?? null, size.min, size.max) &&
      between(builtAt?.getTime() ?? null, since, before)
    )
  }
}

function latest(a: number | null, b: number | null): number | null {
  if (a === null || b === null) return a ?? b
  return Math.max(a, b)
}

function between(value: number | null, min: number | null, max: number | null): boolean {
  if (min === null && max === null) return true
  if (value === null) return false
  return (min === null || value >= min) && (max === null || value <= max)
}
