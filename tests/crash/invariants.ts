import { rm } from 'node:fs/promises'
import path from 'node:path'
import { collectGarbage } from '../../src/app/pool/collect-garbage.ts'
import { exportSource } from '../../src/app/publish/export-source.ts'
import { findSnapshots } from '../../src/app/snapshot/snapshots.ts'
import { isChantalError } from '../../src/core/errors.ts'
import type { Revision } from '../../src/core/model.ts'
import { readAsClient } from '../support/rpm-client.ts'
import type { Site } from '../support/site.ts'

const signal = new AbortController().signal

/**
 * What is broken of the invariants that docs/architecture.md states; nothing may be, whatever moment a process died at. Looks at everything:
 * the pool against the catalog, every kept revision, every published tree as a client reads it, every snapshot by exporting it.
 */
export async function brokenInvariants(site: Site): Promise<readonly string[]> {
  return [
    ...(await unsoundBlobs(site)),
    ...(await incompleteRevisions(site)),
    ...(await brokenTrees(site)),
    ...(await unpublishableSnapshots(site)),
    ...(await lostRoots(site)),
  ]
}

/** A row names a blob only once it is on disk. */
async function unsoundBlobs({ context }: Site): Promise<readonly string[]> {
  return context.catalog.read(async (reader) => {
    const broken: string[] = []
    for await (const { digest } of reader.blobs()) {
      const { state } = await context.pool.check(digest)
      if (state !== 'sound') broken.push(`the catalog has ${digest}, which is ${state}`)
    }
    return broken
  })
}

/** What an open revision has added or taken away shows in none that is sealed. */
async function incompleteRevisions({ context }: Site): Promise<readonly string[]> {
  return context.catalog.read(async (reader) => {
    const broken: string[] = []
    for (const { id, latest } of await reader.repositories()) {
      const revisions = await reader.revisions(id)
      const newest = revisions.at(-1)
      if (latest?.number !== newest?.number)
        broken.push(`latest of ${id} is ${latest?.number}, not ${newest?.number}`)
      for (const revision of revisions) {
        const isLatest = revision.number === latest?.number
        const { packages, bytes } = await measure(reader, revision)
        const label = `revision ${revision.number} of ${id}${isLatest ? ' (latest)' : ''}`
        if (packages !== revision.packageCount)
          broken.push(`${label} has ${packages} packages, not ${revision.packageCount}`)
        if (bytes !== revision.totalSize)
          broken.push(`${label} has ${bytes} bytes, not ${revision.totalSize}`)
      }
    }
    return broken
  })
}

type Reader = Parameters<Parameters<Site['context']['catalog']['read']>[0]>[0]

async function measure(reader: Reader, revision: Revision) {
  const sizes = new Map<string, number>()
  let packages = 0
  for await (const { files } of reader.packages(revision)) {
    packages += 1
    for (const { digest, size } of files) sizes.set(digest, size)
  }
  for (const { digest, size } of await reader.files(revision)) sizes.set(digest, size)
  return { packages, bytes: [...sizes.values()].reduce((sum, size) => sum + size, 0) }
}

/** Clients see the old tree or the new one, and either is whole. */
async function brokenTrees(site: Site): Promise<readonly string[]> {
  const broken: string[] = []
  for (const published of await site.context.publications.list()) {
    const { trouble } = await readAsClient(site.published(published))
    broken.push(...trouble.map((each) => `${published}: ${each}`))
  }
  return broken
}

async function unpublishableSnapshots(site: Site): Promise<readonly string[]> {
  const { catalog, settings } = site.context
  const configured = new Set<string>([
    ...settings.repositories.map(({ id }) => id),
    ...settings.views.map(({ name }) => name),
  ])
  const broken: string[] = []
  for (const { source } of await catalog.read((reader) => findSnapshots(reader))) {
    // What is gone from the configuration has nobody to say how it is published.
    if (!configured.has(source.replace(/@.*/, ''))) continue
    const target = path.join(site.folder, 'exported')
    try {
      await exportSource(site.context, { source, target }, signal)
      const { trouble } = await readAsClient(target)
      broken.push(...trouble.map((each) => `${source}: ${each}`))
    } catch (error) {
      if (!isChantalError(error)) throw error
      broken.push(`${source} cannot be published: ${error.message}`)
    } finally {
      await rm(target, { recursive: true, force: true })
    }
  }
  return broken
}

/** Garbage collection stops where a root reaches what is not in the pool. */
async function lostRoots({ context }: Site): Promise<readonly string[]> {
  try {
    await collectGarbage(context, { graceMs: 0, dryRun: true }, signal)
    return []
  } catch (error) {
    if (!isChantalError(error)) throw error
    return [`garbage collection: ${error.message}`]
  }
}
