/**
 * A process for tests to kill. `program.ts FOLDER WORK [MOMENT NTH]` does WORK with the configuration in FOLDER, and kills itself at the
 * NTH time that MOMENT comes. Says `ready` once everything is open; what is done ends it with 0, an error with its exit status.
 */
import { parseArgs } from 'node:util'
import { configuredRepository } from '../../src/app/configured.ts'
import type { AppContext } from '../../src/app/context.ts'
import { findPackageFiles } from '../../src/app/package/find-package-files.ts'
import { uploadPackages } from '../../src/app/package/upload-packages.ts'
import { collectGarbage } from '../../src/app/pool/collect-garbage.ts'
import { publishSource } from '../../src/app/publish/publish-source.ts'
import { createSnapshot } from '../../src/app/snapshot/create-snapshot.ts'
import { syncRepository } from '../../src/app/sync/sync-repository.ts'
import { readFile } from '../../src/app/transfer/files.ts'
import { importCatalog, openFile } from '../../src/app/transfer/import-catalog.ts'
import { loadConfiguration } from '../../src/config/load.ts'
import { isChantalError } from '../../src/core/errors.ts'
import { ecosystems } from '../../src/ecosystems/registry.ts'
import { openContext } from '../../src/open-context.ts'
import { openImportContext } from '../../src/open-import-context.ts'

const { positionals } = parseArgs({ allowPositionals: true })
const [folder = '', work = '', moment = '', nth = '1'] = positionals
const signal = new AbortController().signal
let times = 0

const { settings } = await loadConfiguration({
  file: 'config.yaml',
  environment: {},
  home: null,
  workingFolder: folder,
  ecosystems,
  now: new Date(),
})

try {
  await using context = await openContext(settings, {
    reporter: { report: () => {} },
    now: () => new Date(),
    version: 'test',
    reached: (name) => {
      if (name === moment && ++times === Number(nth)) process.kill(process.pid, 'SIGKILL')
    },
  })
  process.stdout.write('ready\n')
  for (const step of work.split(',')) await take(context, step)
} catch (error) {
  if (!isChantalError(error)) throw error
  process.stderr.write(`${error.code}: ${error.message}\n`)
  process.exitCode = error.traits.exit
}

/** `sync ID`, `publish SOURCE`, `snapshot SOURCE`, `upload ID FOLDER`, `import FILE`, `collect`. */
async function take(context: AppContext, step: string): Promise<void> {
  const [verb, source = '', folder = ''] = step.split(' ')
  switch (verb) {
    case 'sync': {
      const terms = { settings: configuredRepository(settings, source), force: false, dryRun: false }
      const { cause } = await syncRepository(context, terms, signal)
      if (cause) throw cause
      return
    }
    case 'publish':
      await publishSource(context, { source, as: null, force: false }, signal)
      return
    case 'snapshot':
      await createSnapshot(context, { source, description: null, labels: {} }, signal)
      return
    case 'upload': {
      const wanted = { repository: source, paths: [folder], recursive: false }
      const files = await findPackageFiles(context, wanted, signal)
      const terms = { repository: source, files, suite: null, component: null, force: false }
      await uploadPackages(context, terms, signal)
      return
    }
    case 'import': {
      const terms = { now: context.now, reached: context.reached }
      await using importing = await openImportContext(context.settings, terms)
      await importCatalog(importing, await openFile(readFile(source), null), signal)
      return
    }
    case 'collect':
      await collectGarbage(context, { graceMs: 0, dryRun: false }, signal)
      return
    default:
      throw new Error(`no such work: ${step}`)
  }
}
