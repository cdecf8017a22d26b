import type { PackageKey } from '../../core/model.ts'

/** Rows in key order, a page at a time. @param read the first of those after a key, or of all; none once there are no more */
export async function* keyPages<Row extends { readonly key: PackageKey }>(
  read: (after: PackageKey | null) => Promise<readonly Row[]>,
): AsyncGenerator<readonly Row[]> {
  for (let rows = await read(null); ; ) {
    const end = rows.at(-1)
    if (!end) return
    yield rows
    rows = await read(end.key)
  }
}
