import type { FilterSettings } from '../core/filter.ts'
import type { DocumentPath } from './document.ts'
import type { DocumentReader } from './document-reader.ts'
import type { FiltersDocument } from './filter-schema.ts'
import { compilePattern } from './pattern.ts'
import { parseDate, sizeOf } from './values.ts'

/** @param own what the ecosystem's schema made of its own part; `null` where that is not given */
export function buildFilters(
  document: FiltersDocument | undefined,
  own: object | null,
  path: DocumentPath,
  reader: DocumentReader,
): FilterSettings {
  const { patterns, metadata, post_processing } = document ?? {}
  const size = { min: bytes(metadata?.size_bytes?.min), max: bytes(metadata?.size_bytes?.max) }
  if (size.min !== null && size.max !== null && size.min > size.max) {
    reader.wrong([...path, 'metadata', 'size_bytes'], '"min" is larger than "max": nothing would be kept')
  }
  const latest = post_processing?.only_latest_version === true
  const several = post_processing?.only_latest_n_versions
  if (latest && several !== undefined && several !== 1) {
    reader.wrong(
      [...path, 'post_processing', 'only_latest_n_versions'],
      'give "only_latest_version" or "only_latest_n_versions", not both',
    )
  }
  const settings: Omit<FilterSettings, 'any'> = {
    patterns: { include: compile(patterns?.include), exclude: compile(patterns?.exclude) },
    architectures: {
      include: metadata?.architectures?.include ?? null,
      exclude: metadata?.architectures?.exclude ?? [],
    },
    size,
    buildTime: {
      newerThan: dateOf(metadata?.build_time?.newer_than),
      olderThan: dateOf(metadata?.build_time?.older_than),
      lastDays: metadata?.build_time?.last_n_days ?? null,
    },
    keepNewest: several ?? (latest ? 1 : null),
    ecosystem: own,
  }
  return { any: isAny(settings), ...settings }
}

function isAny({
  patterns,
  architectures,
  size,
  buildTime,
  keepNewest,
  ecosystem,
}: Omit<FilterSettings, 'any'>): boolean {
  return (
    patterns.include.length + patterns.exclude.length + architectures.exclude.length > 0 ||
    [
      architectures.include,
      size.min,
      size.max,
      buildTime.newerThan,
      buildTime.olderThan,
      buildTime.lastDays,
      keepNewest,
      ecosystem,
    ].some((value) => value !== null)
  )
}

function compile(sources: readonly string[] | undefined): readonly RegExp[] {
  return (sources ?? [])
    .map((source) => compilePattern(source))
    .filter((pattern) => pattern instanceof RegExp)
}

function bytes(value: string | number | undefined): number | null {
  return value === undefined ? null : sizeOf(value)
}

function dateOf(text: string | undefined): Date | null {
  return text === undefined ? null : parseDate(text)
}
