import type { ImportContext } from './app/transfer/import-context.ts'
import type { Catalog } from './catalog/catalog.ts'
import { openCatalog } from './catalog/open-catalog.ts'
import type { Settings } from './config/settings.ts'
import { ecosystems } from './ecosystems/registry.ts'
import { FilesystemPool } from './pool/filesystem-pool.ts'
import { claimPool, handOverPool } from './pool/pool-marker.ts'

/**
 * Opens what an import works on. The pool is left as it is until the import asks for it: it may belong to the catalog that is about to come.
 * @throws ChantalError `CATALOG_UNAVAILABLE`, `CATALOG_TOO_NEW`
 */
export async function openImportContext(
  settings: Settings,
  { now, reached }: Pick<ImportContext, 'now' | 'reached'>,
): Promise<ImportContext & AsyncDisposable> {
  const catalog = await openCatalog({ url: settings.database, now })
  const { poolPath } = settings.storage
  return {
    catalog,
    ecosystems,
    now,
    reached,
    openPool: async (id) => {
      await choosePool(catalog, poolPath, id)
      return FilesystemPool.create(poolPath)
    },
    [Symbol.asyncDispose]: () => catalog[Symbol.asyncDispose](),
  }
}

async function choosePool(catalog: Catalog, root: string, id: string | null): Promise<void> {
  const before = catalog.id
  if (id === null || id === before || !(await isEmpty(catalog)))
    return claimPool(root, before, () => isEmpty(catalog))
  await handOverPool(root, before, id)
  if (await catalog.adoptId(id)) return
  // Somebody filled it just now.
  await handOverPool(root, id, before)
}

async function isEmpty(catalog: Catalog): Promise<boolean> {
  return catalog.read(async (reader) => {
    const { blobs, revisions } = await reader.counts()
    return blobs === 0 && revisions === 0 && (await reader.publications()).length === 0
  })
}
