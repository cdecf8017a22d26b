import { expect, it } from 'vitest'
import type { EcosystemId, RepositoryId } from '../core/model.ts'
import {
  addRevision,
  all,
  collect,
  digestOf,
  epel,
  fileOf,
  keyOf,
  packageOf,
  saveBlobs,
} from './catalog.fixtures.ts'
import type { Catalog } from './catalog.ts'
import type { CatalogReader } from './catalog-reader.ts'
import type { FileInterval, ImportedHistory, PackageInterval } from './intervals.ts'

const now = new Date(5000)
const late = new Date(8.64e15)

/** Three revisions with all that there is, the second of which is superseded, and a fourth that is open. */
async function addHistory(catalog: Catalog): Promise<void> {
  const record = (key: string, text: string) => ({
    key: keyOf(key),
    part: 'primary',
    bytes: Buffer.from(text),
  })
  await addRevision(catalog, {
    packages: [packageOf('a', [1, 2]), packageOf('b', [3])],
    records: [record('a', 'old'), record('b', 'ß'), { ...record('a', ''), part: 'other' }],
    files: [fileOf('index', 7), fileOf('other', 8)],
    sealedAt: new Date(1000),
  })
  await addRevision(catalog, {
    removed: ['a'],
    packages: [packageOf('a', [4], 'new')],
    files: [fileOf('index', 9)],
    sealedAt: new Date(2000),
  })
  await addRevision(catalog, { removed: ['b'], files: [fileOf('index', 9)], sealedAt: new Date(3000) })
  await catalog.write(async (writer) => {
    await writer.addBlobChecksums([
      { digest: digestOf(4), checksum: { algorithm: 'sha512', hex: 'e'.repeat(128) } },
      { digest: digestOf(4), checksum: { algorithm: 'sha1', hex: 'a'.repeat(40) } },
    ])
    await writer.createSnapshot({
      repository: epel,
      name: 'first',
      revision: 1,
      createdAt: new Date(1500),
      createdBy: 'alice@mirror',
      isPinned: true,
      description: null,
      labels: { ticket: 'OPS-1' },
    })
    await writer.pruneRevisions(late, Number.MAX_SAFE_INTEGER)
    const open = await writer.openRevision(epel)
    await writer.removePackages(open, [keyOf('a')])
    await writer.addPackages(open, [packageOf('c', [1])])
    await writer.setFiles(open, [])
  })
}

interface Whole {
  readonly history: ImportedHistory
  readonly files: readonly FileInterval[]
  readonly packages: readonly PackageInterval[]
}

/** All of one repository, as an export has it. */
async function readRepository(reader: CatalogReader, id: RepositoryId): Promise<Whole> {
  const packages = await collect(reader.packageIntervals(id))
  return {
    history: {
      revisions: await reader.sealedRevisions(id),
      checkpoint: (await reader.repository(id))?.checkpoint ?? null,
      snapshots: (await reader.snapshots(id)).map(({ repository: _, revision, ...snapshot }) => ({
        ...snapshot,
        revision: revision.number,
      })),
      syncs: [],
    },
    files: await collect(reader.fileIntervals(id)),
    packages: packages.map((pkg) => ({
      ...pkg,
      records: pkg.records.map(({ part, bytes }) => ({ part, bytes: Buffer.from(bytes) })),
    })),
  }
}

async function importWhole(catalog: Catalog, { history, files, packages }: Whole, upTo: 'sealed' | 'rows') {
  const repository = { id: epel, ecosystem: 'rpm' as EcosystemId, mode: 'mirror' as const }
  const open = await catalog.write(async (writer) => {
    const blobs = [...files.map(({ file }) => file), ...packages.flatMap((pkg) => pkg.files)]
    await writer.addBlobs(blobs, now)
    return writer.openImport(repository)
  })
  await catalog.write(async (writer) => {
    await writer.importFiles(open, files)
    await writer.importPackages(open, packages)
  })
  if (upTo === 'sealed') await catalog.write((writer) => writer.sealImport(open, history))
}

/** Reading a repository whole, and making one of what was read. @param another an empty catalog of the same kind */
export function describeImports(use: () => Catalog, another: () => Promise<Catalog>): void {
  it('tells every package and file once, with the revisions that hold it, and nothing of an open revision', async () => {
    const catalog = use()
    await addHistory(catalog)

    const { history, files, packages } = await catalog.read((reader) => readRepository(reader, epel))

    expect(history.revisions.map(({ number, prunedAt }) => [number, prunedAt !== null])).toEqual([
      [1, false],
      [2, true],
      [3, false],
    ])
    expect(files.map(({ file, addedIn, removedIn }) => [file.path, file.size, addedIn, removedIn])).toEqual([
      ['index', 7, 1, 2],
      ['index', 9, 2, null],
      ['other', 8, 1, 2],
    ])
    expect(
      packages.map(({ facts, identity, addedIn, removedIn, records }) => [
        facts.key,
        identity,
        addedIn,
        removedIn,
        records.map(({ part, bytes }) => `${part}: ${Buffer.from(bytes)}`),
      ]),
    ).toEqual([
      ['a', 'a', 1, 2, ['other: ', 'primary: old']],
      ['a', 'new', 2, null, []],
      ['b', 'b', 1, 3, ['primary: ß']],
    ])
    expect(packages[1]?.files[0].checksums).toEqual([
      { algorithm: 'sha1', hex: 'a'.repeat(40) },
      { algorithm: 'sha512', hex: 'e'.repeat(128) },
    ])
  })

  it('gives in another catalog what was read, which goes on from there', async () => {
    const catalog = use()
    await addHistory(catalog)
    const whole = await catalog.read((reader) => readRepository(reader, epel))
    const other = await another()

    await importWhole(other, whole, 'sealed')

    expect(await other.read((reader) => readRepository(reader, epel))).toEqual(whole)
    const texts = async (of: Catalog) => {
      const first = await of.read((reader) => reader.revision(epel, 1))
      if (!first) throw new Error('revision 1 is there')
      const records = await all(of, (reader) => reader.records(first, 'primary'))
      return records.map(({ key, bytes }) => [key, bytes && Buffer.from(bytes).toString()])
    }
    expect(await texts(other)).toEqual(await texts(catalog))
    expect(await addRevision(other, { removed: ['a'], packages: [packageOf('d', [1])] })).toMatchObject({
      number: 4,
      packageCount: 1,
    })
  })

  it('shows nothing of an import that is not sealed, and keeps its blobs', async () => {
    const catalog = use()
    await addHistory(catalog)
    const whole = await catalog.read((reader) => readRepository(reader, epel))
    const other = await another()

    await importWhole(other, whole, 'rows')

    const seen = await other.read(async (reader) => ({
      repositories: await reader.repositories(),
      counts: await reader.counts(),
      found: await reader.searchPackages({ pattern: '*' }, 10),
      imports: await reader.openImports(),
    }))
    expect(seen).toMatchObject({
      repositories: [],
      counts: { repositories: 0, revisions: 0, packages: 0 },
      found: [],
      imports: [epel],
    })
    const digests = [1, 2, 3, 4, 7, 8, 9].map(digestOf)
    expect((await all(other, (reader) => reader.reachableBlobs())).map(({ digest }) => digest)).toEqual(
      digests,
    )
    expect(await other.write((writer) => writer.forgetBlobs(digests, late))).toEqual([])
  })

  it('leaves nothing of an import that is dropped, a part at a time', async () => {
    const catalog = use()
    await addHistory(catalog)
    const whole = await catalog.read((reader) => readRepository(reader, epel))
    const other = await another()
    await importWhole(other, whole, 'rows')

    const named = new Set<string>()
    let steps = 0
    for (let isDone = false; !isDone; steps += 1) {
      const dropped = await other.write((writer) => writer.dropImport(epel, 1))
      for (const digest of dropped.blobs) named.add(digest)
      isDone = dropped.isDone
    }

    const digests = [1, 2, 3, 4, 7, 8, 9].map(digestOf)
    expect(steps).toBe(4)
    expect([...named].sort()).toEqual(digests)
    expect(await other.read((reader) => reader.openImports())).toEqual([])
    expect(await other.write((writer) => writer.forgetBlobs(digests, late))).toEqual(digests)
    await importWhole(other, whole, 'sealed')
    expect(await other.read((reader) => reader.counts())).toMatchObject({ repositories: 1 })
  })

  it('takes the place of a repository that was never synced, and of no other', async () => {
    const catalog = use()
    await addHistory(catalog)
    const whole = await catalog.read((reader) => readRepository(reader, epel))
    const other = await another()
    await other.write((writer) =>
      writer.saveRepository({ id: epel, ecosystem: 'rpm' as EcosystemId, mode: 'filtered' }),
    )

    await importWhole(other, whole, 'sealed')
    const again = importWhole(other, whole, 'sealed')

    await expect(again).rejects.toMatchObject({ code: 'ALREADY_EXISTS' })
    expect(await other.read((reader) => reader.repository(epel))).toMatchObject({
      mode: 'mirror',
      latest: { number: 3 },
    })
  })

  it.each([
    ['a size', { size: 999, checksums: [] }],
    ['a checksum', { size: 5, checksums: [{ algorithm: 'sha1' as const, hex: 'a'.repeat(40) }] }],
  ])('refuses %s that contradicts what the catalog knows', async (_, wrong) => {
    const catalog = use()
    await saveBlobs(catalog, [4, 5])
    await catalog.write((writer) =>
      writer.addBlobChecksums([
        { digest: digestOf(4), checksum: { algorithm: 'sha1', hex: 'a'.repeat(40) } },
      ]),
    )
    const file = { ...fileOf('index', 5), ...wrong }
    const whole = { history: { revisions: [], checkpoint: null, snapshots: [], syncs: [] }, packages: [] }

    const importing = importWhole(
      catalog,
      { ...whole, files: [{ file, addedIn: 1, removedIn: null }] },
      'rows',
    )

    await expect(importing).rejects.toMatchObject({ code: 'IMPORT_INVALID' })
  })

  it('takes over another id only while nothing is there', async () => {
    const catalog = use()
    const id = '5f3c9f36-6a0c-4f0e-9d6e-0d9a8c1b7a55'

    const isTaken = await catalog.adoptId(id)
    await saveBlobs(catalog, [1])
    const isTakenAgain = await catalog.adoptId('0b0f5f3e-36a0-4c4f-8e9d-6e0d9a8c1b7a')

    expect([isTaken, isTakenAgain, catalog.id]).toEqual([true, false, id])
  })
}
