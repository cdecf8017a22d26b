import { configuredRepository } from '../../src/app/configured.ts'
import type { AppContext } from '../../src/app/context.ts'
import { backUpDatabase } from '../../src/app/database/back-up-database.ts'
import { findGoneRepositories, removeGoneRepositories } from '../../src/app/database/clean-up-database.ts'
import { vacuumDatabase } from '../../src/app/database/vacuum-database.ts'
import { flawError, verifyDatabase } from '../../src/app/database/verify-database.ts'
import { copyPackages } from '../../src/app/package/copy-packages.ts'
import { findPackageFiles } from '../../src/app/package/find-package-files.ts'
import { removePackages } from '../../src/app/package/remove-packages.ts'
import { uploadPackages } from '../../src/app/package/upload-packages.ts'
import { collectGarbage } from '../../src/app/pool/collect-garbage.ts'
import { publishSource } from '../../src/app/publish/publish-source.ts'
import { createSnapshot } from '../../src/app/snapshot/create-snapshot.ts'
import { pruneSnapshots } from '../../src/app/snapshot/prune-snapshots.ts'
import { syncRepository } from '../../src/app/sync/sync-repository.ts'
import { readFile } from '../../src/app/transfer/files.ts'
import { importCatalog, openFile } from '../../src/app/transfer/import-catalog.ts'
import { openDatabase } from '../../src/catalog/catalog-database.ts'
import { openImportContext } from '../../src/open-import-context.ts'

const { signal } = new AbortController()
const where = { suite: null, component: null, force: true }

/** What a process can be told to do: a verb, and its words. */
const verbs: Readonly<Record<string, (context: AppContext, ...words: string[]) => Promise<unknown>>> = {
  /** `ID` */
  sync: async (context, id = '') => {
    const terms = { settings: configuredRepository(context.settings, id), force: false, dryRun: false }
    const { cause } = await syncRepository(context, terms, signal)
    if (cause) throw cause
  },
  /** `SOURCE [AS]` */
  publish: (context, source = '', as) =>
    publishSource(context, { source, as: as ?? null, force: false }, signal),
  /** `SOURCE` */
  snapshot: (context, source = '') =>
    createSnapshot(context, { source, description: null, labels: {} }, signal),
  /** `ID FOLDER` */
  upload: async (context, repository = '', folder = '') => {
    const wanted = { repository, paths: [folder], recursive: false }
    const files = await findPackageFiles(context, wanted, signal)
    await uploadPackages(context, { ...where, repository, files }, signal)
  },
  /** `ID PATTERN` */
  remove: (context, repository = '', pattern = '') =>
    removePackages(context, { repository, packages: [pattern], dryRun: false }, signal),
  /** `SOURCE PATTERN ID` */
  copy: (context, from = '', pattern = '', to = '') =>
    copyPackages(context, { ...where, from, packages: [pattern], to, move: false, dryRun: false }, signal),
  /** `ID PATTERN ID` */
  move: (context, from = '', pattern = '', to = '') =>
    copyPackages(context, { ...where, from, packages: [pattern], to, move: true, dryRun: false }, signal),
  prune: (context) => pruneSnapshots(context, { ids: [], dryRun: false }, signal),
  collect: (context) => collectGarbage(context, { graceMs: 0, dryRun: false }, signal),
  /** `FILE` */
  import: async ({ settings, now, reached }, file = '') => {
    await using importing = await openImportContext(settings, { now, reached })
    await importCatalog(importing, await openFile(readFile(file), null), signal)
  },
  cleanup: async (context) => {
    const repositories = await findGoneRepositories(context, { snapshots: true }, signal)
    await removeGoneRepositories(context, { repositories }, signal)
  },
  vacuum: (context) => vacuumDatabase(context, {}, signal),
  /** `FILE` */
  backup: ({ settings, now, reached }, file = '') => {
    const database = openDatabase({ url: settings.database, now })
    const asked = new AbortController().signal
    // Asked whether to go on while the copy has no name yet.
    asked.throwIfAborted = () => reached?.('catalog copied')
    return backUpDatabase({ database, now }, { file, force: true }, asked)
  },
  verify: async (context) => {
    const error = flawError(await verifyDatabase(context, { deep: true, repair: false }, signal))
    if (error) throw error
  },
}

/** Does what `step` says: a verb and its words, apart by spaces. */
export async function take(context: AppContext, step: string): Promise<void> {
  const [verb = '', ...words] = step.split(' ')
  const work = verbs[verb]
  if (!work) throw new Error(`no such work: ${step}`)
  await work(context, ...words)
}
