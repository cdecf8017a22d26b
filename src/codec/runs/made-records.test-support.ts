import type { PackageKey, RecordTerms } from '../../core/model.ts'

/** Native records as a catalog gives them: all, or page by page those that are asked for. */
export async function* recordsAmong<Each extends { readonly key: PackageKey }>(
  all: readonly Each[],
  { among }: RecordTerms = {},
): AsyncGenerator<Each> {
  if (!among) yield* all
  const byKey = new Map(all.map((each) => [each.key, each]))
  for (const page of among ?? [])
    for (const key of page) {
      const found = byKey.get(key)
      if (found) yield found
    }
}
