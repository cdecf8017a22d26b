import { createHash } from 'node:crypto'
import { mkdtempSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { NewPackage } from '../src/catalog/catalog-writer.ts'
import { openCatalog } from '../src/catalog/open-catalog.ts'
import { parseSha256 } from '../src/core/digest.ts'
import type { EcosystemId, PackageKey, RepositoryId } from '../src/core/model.ts'
import { parseRelativePath } from '../src/core/path.ts'

/** Loads, lists and compares 60,000 packages. `node bench/catalog.bench.ts [postgresql-url]` */
const count = 60_000
const batchRows = 2000
const repository = 'bench' as RepositoryId
const folder = mkdtempSync(path.join(tmpdir(), 'chantal-bench-'))
const file = path.join(folder, 'chantal.db')
const server = process.argv[2]

const packages: NewPackage[] = Array.from({ length: count }, (_, index) => {
  const name = `package-${String(index).padStart(6, '0')}`
  const digest = parseSha256(createHash('sha256').update(name).digest('hex'))
  return {
    key: `${name}-0:1.0-1.x86_64` as PackageKey,
    name,
    version: '0:1.0-1',
    architecture: 'x86_64',
    builtAt: new Date(1_700_000_000_000),
    identity: digest,
    attributes: { summary: `What ${name} does`, license: 'MIT', sourceRpm: `${name}-1.0-1.src.rpm` },
    files: [{ path: parseRelativePath(`Packages/p/${name}.rpm`), digest, size: 10_000 + index }],
  }
})

async function timed<T>(what: string, work: () => Promise<T>): Promise<T> {
  const started = performance.now()
  const result = await work()
  process.stdout.write(`${what.padEnd(24)} ${((performance.now() - started) / 1000).toFixed(2)} s\n`)
  return result
}

function* batches<T>(items: readonly T[]): Generator<readonly T[]> {
  for (let start = 0; start < items.length; start += batchRows) yield items.slice(start, start + batchRows)
}

async function countOf(items: AsyncIterable<unknown>): Promise<number> {
  let seen = 0
  for await (const _ of items) seen += 1
  return seen
}

await using catalog = await openCatalog({
  url: server ? { kind: 'postgresql', url: new URL(server), password: null } : { kind: 'sqlite', file },
  now: () => new Date(),
})
await catalog.write((writer) =>
  writer.saveRepository({ id: repository, ecosystem: 'rpm' as EcosystemId, mode: 'mirror' }),
)
const revision = await timed('load', async () => {
  await timed('  blobs', async () => {
    for (const batch of batches(packages))
      await catalog.write((writer) =>
        writer.addBlobs(
          batch.map(({ files }) => files[0]),
          new Date(),
        ),
      )
  })
  const open = await catalog.write((writer) => writer.openRevision(repository))
  await timed('  packages', async () => {
    for (const batch of batches(packages)) await catalog.write((writer) => writer.addPackages(open, batch))
  })
  await timed('  records, 3 parts', async () => {
    for (const part of ['primary', 'filelists', 'other'])
      for (const batch of batches(packages)) {
        const records = batch.map(({ key, name }) => ({
          key,
          part,
          bytes: Buffer.from(`<package name="${name}" part="${part}">${`/usr/share/${name}/\n`.repeat(20)}`),
        }))
        await catalog.write((writer) => writer.addRecords(open, records))
      }
  })
  return timed('  seal', () => catalog.write((writer) => writer.sealRevision(open, new Date(), null)))
})
await timed('held packages', () => catalog.read((reader) => reader.heldPackages(revision)))
await timed('list', () => catalog.read((reader) => countOf(reader.packages(revision))))
await timed('records', () => catalog.read((reader) => countOf(reader.records(revision, 'primary'))))
await timed('search *-0599*', () =>
  catalog.read((reader) => reader.searchPackages({ pattern: '*-0599*' }, 100)),
)
const next = await timed('change 600', () =>
  catalog.write(async (writer) => {
    const open = await writer.openRevision(repository)
    const changed = packages.slice(0, 600)
    await writer.removePackages(
      open,
      changed.map(({ key }) => key),
    )
    await writer.addPackages(
      open,
      changed.map((pkg) => ({ ...pkg, identity: 'changed' })),
    )
    return writer.sealRevision(open, new Date(), null)
  }),
)
await timed('diff', () => catalog.read((reader) => countOf(reader.diff(revision, next))))
await timed('reachable blobs', () => catalog.read((reader) => countOf(reader.reachableBlobs())))
await timed('prune', () => catalog.write((writer) => writer.pruneRevisions(new Date(Date.now() + 1000))))
if (!server) process.stdout.write(`file ${(statSync(file).size / 1024 ** 2).toFixed(0)} MiB\n`)
process.stdout.write(`peak ${(process.resourceUsage().maxRSS / 1024).toFixed(0)} MiB\n`)
rmSync(folder, { recursive: true, force: true })
