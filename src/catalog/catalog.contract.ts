import { randomBytes } from 'node:crypto'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Json } from '../core/brand.ts'
import {
  addRevision,
  all,
  digestOf,
  epel,
  fileOf,
  keyOf,
  packageOf,
  pathOf,
  saveBlobs,
  saveEpel,
} from './catalog.fixtures.ts'
import type { Catalog } from './catalog.ts'
import type { CatalogWriter } from './catalog-writer.ts'
import { describeChangedFiles } from './changed-files.contract.ts'
import { describeImports } from './import.contract.ts'
import type { LeaseTerms } from './lease.ts'
import type { HostFacts } from './leases/host.ts'
import { describeLeases } from './leases.contract.ts'
import { type CatalogLocation, openCatalog } from './open-catalog.ts'
import { describePackageSignatures } from './package-signatures.contract.ts'
import { describeRevisionModel } from './revision-model.contract.ts'
import { describeSnapshotUses } from './snapshot-uses.contract.ts'
import { describeViewSnapshots } from './view-snapshots.contract.ts'

/** What every catalog keeps to. @param locate a place where no catalog is yet */
export function describeCatalog(name: string, locate: () => Promise<CatalogLocation>): void {
  describe(name, () => {
    let url: CatalogLocation
    let catalog: Catalog
    const opened: Catalog[] = []
    const open = async (options: { leaseTerms?: LeaseTerms; host?: HostFacts } = {}) => {
      const another = await openCatalog({ url, now: () => new Date(), ...options })
      opened.push(another)
      return another
    }

    beforeEach(async () => {
      url = await locate()
      catalog = await open()
    })

    afterEach(async () => {
      for (const one of opened.splice(0)) await one[Symbol.asyncDispose]()
    })

    describe('opening', () => {
      it('keeps its id', async () => {
        const again = await open()

        expect(again.id).toBe(catalog.id)
        expect(again.id).toMatch(/^[0-9a-f-]{36}$/)
      })

      it('migrates once when several processes start together', async () => {
        url = await locate()

        const catalogs = await Promise.all([open(), open(), open()])

        expect(new Set(catalogs.map(({ id }) => id)).size).toBe(1)
      })
    })

    describe('repositories', () => {
      it('are known once saved, with their mode as it last was', async () => {
        await saveEpel(catalog, 'mirror')
        await saveEpel(catalog, 'filtered')

        expect(await catalog.read((reader) => reader.repository(epel))).toEqual({
          id: epel,
          ecosystem: 'rpm',
          mode: 'filtered',
          latest: null,
          checkpoint: null,
        })
      })

      it('stay of their ecosystem', async () => {
        await saveEpel(catalog)

        const saving = saveEpel(catalog, 'mirror', 'apt')

        await expect(saving).rejects.toMatchObject({ code: 'CONFIG_INVALID' })
      })

      it('keep a checkpoint', async () => {
        await saveEpel(catalog)

        await catalog.write((writer) =>
          writer.saveCheckpoint(epel, { etag: '"1"', 'a\u0000b': [1, null] }, null),
        )

        const [record] = await catalog.read((reader) => reader.repositories())
        expect(record?.checkpoint).toEqual({ etag: '"1"', 'a\u0000b': [1, null] })
      })
    })

    it('keeps no checkpoint of a revision that another followed', async () => {
      await saveEpel(catalog)
      const revision = await addRevision(catalog, { packages: [packageOf('a', [1])] })

      const saving = catalog.write((writer) => writer.saveCheckpoint(epel, 'old', null))

      await expect(saving).rejects.toMatchObject({ code: 'LEASE_LOST' })
      await catalog.write((writer) => writer.saveCheckpoint(epel, 'new', revision.number))
      const [record] = await catalog.read((reader) => reader.repositories())
      expect(record?.checkpoint).toBe('new')
    })

    describe('writing', () => {
      it('takes nothing of what failed midway', async () => {
        const writing = catalog.write(async (writer) => {
          await writer.addBlobs([{ digest: digestOf(1), size: 1 }], new Date())
          throw new Error('midway')
        })

        await expect(writing).rejects.toThrow('midway')
        expect(await all(catalog, (reader) => reader.blobs())).toEqual([])
      })

      it('lets many write at once', async () => {
        const other = await open()
        const numbers = Array.from({ length: 20 }, (_, index) => index)

        await Promise.all(
          numbers.map((number) => saveBlobs(number % 2 === 0 ? catalog : other, [number, number + 1])),
        )

        expect(await all(catalog, (reader) => reader.blobs())).toHaveLength(21)
      })

      it('does not wait for readers, who go on seeing what they saw', async () => {
        await saveBlobs(catalog, [1])

        const seen = await catalog.read(async (reader) => {
          const before = await reader.counts()
          await saveBlobs(catalog, [2])
          return [before.blobs, (await reader.counts()).blobs]
        })

        expect(seen).toEqual([1, 1])
      })
    })

    describe('revisions', () => {
      it('hold what was added, with every fact', async () => {
        const revision = await addRevision(catalog, {
          packages: [packageOf('bash', [2, 3]), packageOf('ash', [1])],
          files: [fileOf('repodata/repomd.xml', 4)],
        })

        expect(await all(catalog, (reader) => reader.packages(revision))).toEqual([
          { ...packageOf('ash', [1]), repository: epel, signature: null, addedIn: 1 },
          { ...packageOf('bash', [2, 3]), repository: epel, signature: null, addedIn: 1 },
        ])
        expect(await catalog.read((reader) => reader.files(revision))).toEqual([
          fileOf('repodata/repomd.xml', 4),
        ])
        expect(revision).toMatchObject({
          number: 1,
          mode: 'mirror',
          packageCount: 2,
          totalSize: 1 + 2 + 3 + 4,
        })
      })

      it('hold the longest names and paths that there are', async () => {
        // What compresses well would fit into an index of PostgreSQL at any length.
        const long = (bytes: number) => randomBytes(bytes / 2).toString('hex')
        const path = Array.from({ length: 5 }, () => long(200)).join('/')
        const pkg = { ...packageOf('long', [1]), key: keyOf(`${long(1200)} (${path})`) }

        const revision = await addRevision(catalog, { packages: [pkg], files: [fileOf(path, 2)] })

        expect(await all(catalog, (reader) => reader.packages(revision))).toMatchObject([{ key: pkg.key }])
        expect(await catalog.read((reader) => reader.files(revision))).toEqual([fileOf(path, 2)])
      })

      it('count a shared file once', async () => {
        const revision = await addRevision(catalog, {
          packages: [packageOf('a', [5]), packageOf('b', [5, 6])],
          files: [fileOf('copy', 6)],
        })

        expect(revision.totalSize).toBe(11)
      })

      it('hold files and sums of more bytes than 32 bits can count', async () => {
        const [disc, archive] = [3_000_000_000, 6_000_000_000_000]
        const revision = await addRevision(catalog, {
          packages: [packageOf('disc', [disc])],
          files: [fileOf('archive', archive)],
        })

        const [pkg] = await all(catalog, (reader) => reader.packages(revision))
        const [files, counts] = await catalog.read(async (reader) => [
          await reader.files(revision),
          await reader.counts(),
        ])

        expect([pkg?.files[0].size, files[0]?.size]).toEqual([disc, archive])
        expect([revision.totalSize, counts.blobBytes, counts.referencedBytes]).toEqual([
          disc + archive,
          disc + archive,
          disc + archive,
        ])
      })

      it('are invisible until sealed', async () => {
        const first = await addRevision(catalog, { packages: [packageOf('a', [1])] })
        const open = await catalog.write((writer) => writer.openRevision(epel))
        await catalog.write(async (writer) => {
          await writer.removePackages(open, [keyOf('a')])
          await writer.addPackages(open, [packageOf('b', [1])])
        })

        const seen = await catalog.read(async (reader) => ({
          latest: (await reader.repository(epel))?.latest,
          open: await reader.revision(epel, open.number),
          kept: await reader.revisions(epel),
          keys: [...(await reader.heldPackages(first)).keys()],
          found: await reader.searchPackages({ pattern: 'b' }, 10),
          counted: (await reader.counts()).packages,
        }))

        expect(seen).toEqual({ latest: first, open: null, kept: [first], keys: ['a'], found: [], counted: 1 })
      })

      it('that a dead process left open are discarded first', async () => {
        await addRevision(catalog, { packages: [packageOf('a', [1])] })
        const left = await catalog.write((writer) => writer.openRevision(epel))
        await catalog.write((writer) => writer.removePackages(left, [keyOf('a')]))

        const revision = await addRevision(catalog, { packages: [packageOf('b', [1])] })

        const held = await catalog.read((reader) => reader.heldPackages(revision))
        expect([...held.keys()].sort()).toEqual(['a', 'b'])
        expect(revision.number).toBe(2)
      })

      it('refuse a writer after another has closed them', async () => {
        await saveEpel(catalog)
        const open = await catalog.write((writer) => writer.openRevision(epel))
        await catalog.write((writer) => writer.discardRevision(open))

        const adding = catalog.write((writer) => writer.setFiles(open, []))

        await expect(adding).rejects.toMatchObject({ code: 'LEASE_LOST' })
      })

      it('refuse a writer after another has opened one of the same number', async () => {
        await addRevision(catalog, { packages: [packageOf('a', [1])] })
        const lost = await catalog.write((writer) => writer.openRevision(epel))
        const open = await catalog.write((writer) => writer.openRevision(epel))
        expect(open.number).toBe(lost.number)

        const writings: readonly ((writer: CatalogWriter) => Promise<unknown>)[] = [
          (writer) => writer.addPackages(lost, []),
          (writer) => writer.removePackages(lost, [keyOf('a')]),
          (writer) => writer.addRecords(lost, []),
          (writer) => writer.setFiles(lost, []),
          (writer) => writer.sealRevision(lost, new Date(), null),
        ]
        for (const writing of writings)
          await expect(catalog.write(writing)).rejects.toMatchObject({ code: 'LEASE_LOST' })
        await catalog.write((writer) => writer.discardRevision(lost))

        const sealed = await catalog.write((writer) => writer.sealRevision(open, new Date(), null))
        expect(sealed).toMatchObject({ number: lost.number, packageCount: 1 })
      })

      it('do not name blobs that were never recorded', async () => {
        await saveEpel(catalog)
        const open = await catalog.write((writer) => writer.openRevision(epel))

        const adding = catalog.write((writer) => writer.addPackages(open, [packageOf('a', [404])]))

        await expect(adding).rejects.toThrow('blobs come first')
      })

      it('are found by time', async () => {
        const first = await addRevision(catalog, { sealedAt: new Date(1000) })
        const second = await addRevision(catalog, { sealedAt: new Date(2000) })

        const at = (time: number) => catalog.read((reader) => reader.revisionAt(epel, new Date(time)))

        expect([await at(999), await at(1000), await at(1999), await at(2000)]).toEqual([
          null,
          first,
          first,
          second,
        ])
      })

      it('keep the mode they were synced in', async () => {
        await addRevision(catalog, {})
        await saveEpel(catalog, 'filtered')
        await addRevision(catalog, {})

        const revisions = await catalog.read((reader) => reader.revisions(epel))

        expect(revisions.map(({ mode }) => mode)).toEqual(['mirror', 'filtered'])
      })

      it('page through more packages than one page holds', async () => {
        const names = Array.from({ length: 2345 }, (_, index) => `p${String(index).padStart(5, '0')}`)
        const revision = await addRevision(catalog, { packages: names.map((name) => packageOf(name, [1])) })

        const packages = await all(catalog, (reader) => reader.packages(revision))

        expect(packages.map(({ key }) => key)).toEqual(names)
      })

      it('order keys by their bytes', async () => {
        const names = ['a', 'B', 'a-1', 'a1', 'ä', '\u{1f4e6}', '\uffee', '_']
        const revision = await addRevision(catalog, { packages: names.map((name) => packageOf(name, [1])) })

        const packages = await all(catalog, (reader) => reader.packages(revision))

        const sorted = names.sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
        expect(packages.map(({ key }) => key)).toEqual(sorted)
      })
    })

    describePackageSignatures(() => catalog)

    describeChangedFiles(() => catalog)

    describeRevisionModel(() => catalog)

    describe('a repository as a whole', () =>
      describeImports(
        () => catalog,
        async () => {
          url = await locate()
          return open()
        },
      ))

    describe('native records', () => {
      const records = (count: number) =>
        Array.from({ length: count }, (_, index) => ({
          key: keyOf(`p${String(index).padStart(4, '0')}`),
          bytes: Buffer.from(`<package n="${index}">${'x'.repeat(index % 97)}\u0000</package>`),
        }))

      it('come back byte for byte, in key order, part by part', async () => {
        const wanted = records(1234)
        const revision = await addRevision(catalog, {
          packages: wanted.map(({ key }) => packageOf(key, [1])),
          records: [
            ...wanted.toReversed().map((record) => ({ ...record, part: 'primary' })),
            ...wanted.slice(0, 7).map(({ key }) => ({ key, part: 'other', bytes: Buffer.alloc(0) })),
          ],
        })

        const primary = await all(catalog, (reader) => reader.records(revision, 'primary'))
        const other = await all(catalog, (reader) => reader.records(revision, 'other'))

        expect(primary.map(({ key }) => key)).toEqual(wanted.map(({ key }) => key))
        expect(primary.map(({ bytes }) => bytes && Buffer.from(bytes).toString())).toEqual(
          wanted.map(({ bytes }) => bytes.toString()),
        )
        expect(other.map(({ bytes }) => bytes?.length ?? null)).toEqual(
          wanted.map((_, index) => (index < 7 ? 0 : null)),
        )
      })

      it('are given of some packages alone, as those are', async () => {
        const wanted = records(1234)
        const revision = await addRevision(catalog, {
          packages: wanted.map(({ key }) => packageOf(key, [1])),
          records: wanted.map((record) => ({ ...record, part: 'primary' })),
        })
        const some = ['p1100', 'p0007', 'none', 'p0300'].map(keyOf)
        const pages = [['p0007', 'none'].map(keyOf), [], ['p1100', 'p0300'].map(keyOf)]
        const of = async (among: typeof pages) =>
          (await all(catalog, (reader) => reader.records(revision, 'primary', { among }))).map(
            ({ key, bytes }) => [key, bytes && Buffer.from(bytes).toString()],
          )
        const packages = await all(catalog, (reader) => reader.packages(revision, { among: some }))

        const expected = ['p0007', 'p0300', 'p1100']
        expect(await of(pages)).toEqual(
          expected.map((key) => [key, wanted.find((record) => record.key === key)?.bytes.toString()]),
        )
        expect(await of([])).toEqual([])
        expect(packages.map(({ key }) => key)).toEqual(expected)
      })

      it('of a replaced package stay with the revision that had it', async () => {
        const record = (text: string) => [{ key: keyOf('a'), part: 'primary', bytes: Buffer.from(text) }]
        const first = await addRevision(catalog, { packages: [packageOf('a', [1])], records: record('old') })
        const second = await addRevision(catalog, {
          removed: ['a'],
          packages: [packageOf('a', [2], 'new')],
          records: record('new'),
        })

        const texts = async (revision: typeof first) =>
          (await all(catalog, (reader) => reader.records(revision, 'primary'))).map(
            ({ bytes }) => bytes && Buffer.from(bytes).toString(),
          )

        const addedIn = async (revision: typeof first) =>
          (await all(catalog, (reader) => reader.packages(revision))).map((pkg) => pkg.addedIn)

        expect([await texts(first), await texts(second)]).toEqual([['old'], ['new']])
        expect([await addedIn(first), await addedIn(second)]).toEqual([[1], [2]])
      })

      it('outlive packages they were packed with', async () => {
        const wanted = records(50)
        await addRevision(catalog, {
          sealedAt: new Date(1000),
          packages: wanted.map(({ key }) => packageOf(key, [1])),
          records: wanted.map((record) => ({ ...record, part: 'primary' })),
        })
        const removed = wanted.slice(0, 49).map(({ key }) => key)
        const second = await addRevision(catalog, { sealedAt: new Date(2000), removed })

        await catalog.write((writer) => writer.pruneRevisions(new Date(3000)))

        const left = await all(catalog, (reader) => reader.records(second, 'primary'))
        expect(left.map(({ key, bytes }) => [key, bytes === null])).toEqual([['p0049', false]])
      })
    })

    describe('searching', () => {
      it.each([
        ['bash', ['bash']],
        ['bash*', ['bash', 'bash-doc']],
        ['?ash', ['bash', 'dash']],
        ['[bd]ash', ['bash', 'dash']],
        ['[!b]ash', ['dash']],
        ['BASH', []],
        ['100%', ['100%']],
        ['a_b', ['a_b']],
        ['a\\b', ['a\\b']],
        ['*', ['100%', 'a_b', 'a\\b', 'axb', 'bash', 'bash-doc', 'dash']],
      ])('%s finds %j', async (pattern, expected) => {
        const names = ['bash', 'bash-doc', 'dash', '100%', 'a_b', 'axb', 'a\\b']
        const revision = await addRevision(catalog, { packages: names.map((name) => packageOf(name, [1])) })

        const found = await catalog.read((reader) => reader.searchPackages({ pattern }, 100))
        const listed = await all(catalog, (reader) => reader.packages(revision, { pattern }))

        expect(found.map((one) => one.package.key).sort()).toEqual(expected.toSorted())
        expect(listed.map(({ key }) => key).sort()).toEqual(expected.toSorted())
      })

      it('finds by digest, newest revision first, and says in which revisions', async () => {
        await addRevision(catalog, { sealedAt: new Date(1000), packages: [packageOf('old', [7])] })
        await addRevision(catalog, {
          sealedAt: new Date(2000),
          removed: ['old'],
          packages: [packageOf('new', [7]), packageOf('other', [8])],
        })

        const found = await catalog.read((reader) => reader.searchPackages({ digest: digestOf(7) }, 10))
        const first = await catalog.read((reader) => reader.searchPackages({ digest: digestOf(7) }, 1))

        expect(found.map((one) => [one.package.key, one.revisions])).toEqual([
          ['new', [2]],
          ['old', [1]],
        ])
        expect(first).toEqual(found.slice(0, 1))
      })

      it('names who uses a blob', async () => {
        await addRevision(catalog, { packages: [packageOf('a', [7])], files: [fileOf('z', 7)] })
        await addRevision(catalog, { removed: ['a'] })

        expect(await catalog.read((reader) => reader.blobUsers(digestOf(7)))).toEqual([
          { digest: digestOf(7), repository: epel, path: 'packages/a-0', key: 'a', revisions: [1] },
          { digest: digestOf(7), repository: epel, path: 'z', key: null, revisions: [1] },
        ])
        expect(await catalog.read((reader) => reader.blobUsers())).toEqual([])
      })

      it('names who uses any of several blobs', async () => {
        await addRevision(catalog, { packages: [packageOf('a', [7, 8]), packageOf('b', [9])] })

        const users = await catalog.read((reader) => reader.blobUsers(digestOf(8), digestOf(9), digestOf(1)))

        expect(users.map(({ digest, path }) => [digest, path])).toEqual([
          [digestOf(8), 'packages/a-1'],
          [digestOf(9), 'packages/b-0'],
        ])
      })

      it('lists blobs from where it is told to go on', async () => {
        await saveBlobs(catalog, [1, 2, 3])

        const left = await all(catalog, (reader) => reader.blobs(digestOf(1)))

        expect(left.map(({ size }) => size)).toEqual([2, 3])
      })
    })

    describe('notes', () => {
      it('are there until they are replaced or forgotten', async () => {
        const note = () => catalog.read((reader) => reader.note('pool verify'))
        const save = (value: Json) => catalog.write((writer) => writer.saveNote('pool verify', value))

        const seen = [await note()]
        for (const value of [{ after: 'a\u0000b' }, [1, null], null, null]) {
          await save(value)
          seen.push(await note())
        }

        expect(seen).toEqual([null, { after: 'a\u0000b' }, [1, null], null, null])
      })
    })

    describe('snapshots', () => {
      const snapshot = (name: string, revision = 1) => ({
        repository: epel,
        name,
        revision,
        createdAt: new Date(5000),
        description: 'why',
        labels: { stage: 'prod' },
        createdBy: 'someone@somewhere',
        isPinned: false,
      })

      it('name a revision once', async () => {
        const revision = await addRevision(catalog, {})
        const created = await catalog.write((writer) => writer.createSnapshot(snapshot('one')))

        const again = catalog.write((writer) => writer.createSnapshot(snapshot('one')))

        await expect(again).rejects.toMatchObject({ code: 'ALREADY_EXISTS' })
        expect(created).toEqual({ ...snapshot('one'), revision })
        expect(await catalog.read((reader) => reader.snapshot(epel, 'one'))).toEqual(created)
        expect(await catalog.read((reader) => reader.snapshots())).toEqual([created])
      })

      it('need a revision that is kept', async () => {
        await saveEpel(catalog)

        const creating = catalog.write((writer) => writer.createSnapshot(snapshot('one', 9)))

        await expect(creating).rejects.toMatchObject({ code: 'NOT_FOUND' })
      })

      it('go, and going again is fine', async () => {
        await addRevision(catalog, {})
        await catalog.write((writer) => writer.createSnapshot(snapshot('one')))

        for (const _ of [1, 2]) await catalog.write((writer) => writer.deleteSnapshot(epel, 'one'))

        expect(await catalog.read((reader) => reader.snapshots(epel))).toEqual([])
      })
    })

    describeSnapshotUses(() => catalog)

    describeViewSnapshots(() => catalog)

    describe('publications', () => {
      const path = pathOf('repositories/epel9/latest')
      const generation = (name: string, publishedAt: number) => ({
        path,
        generation: name,
        publishedAt: new Date(publishedAt),
        sources: [{ repository: epel, revision: 1, source: 'epel9' }],
        packages: 1,
        files: 2,
        signedBy: null,
        fingerprint: name,
      })

      it('show the generation that was switched to', async () => {
        await addRevision(catalog, {})
        await catalog.write((writer) => writer.saveGeneration(generation('g1', 1000), false))
        const before = await catalog.read((reader) => reader.publication(path))
        await catalog.write((writer) => writer.saveGeneration(generation('g1', 1500), true))
        await catalog.write((writer) => writer.saveGeneration(generation('g2', 2000), true))
        await catalog.write((writer) => writer.setCurrentGeneration(path, 'g1'))
        await catalog.write((writer) => writer.holdPublication(path, new Date(3000)))

        const seen = await catalog.read(async (reader) => ({
          all: await reader.publications(),
          generations: await reader.generations(path),
        }))

        expect(before).toEqual({ path, current: null, heldSince: null })
        expect(seen).toEqual({
          all: [{ path, current: generation('g1', 1500), heldSince: new Date(3000) }],
          generations: [generation('g1', 1500), generation('g2', 2000)],
        })
      })

      it('forget generations, and go with all of them', async () => {
        await addRevision(catalog, {})
        for (const name of ['g1', 'g2'])
          await catalog.write((writer) => writer.saveGeneration(generation(name, 1), true))

        await catalog.write((writer) => writer.forgetGenerations(path, ['g1', 'unknown']))
        const left = await catalog.read((reader) => reader.generations(path))
        await catalog.write((writer) => writer.removePublication(path))

        expect(left.map((one) => one.generation)).toEqual(['g2'])
        expect(await catalog.read((reader) => reader.publication(path))).toBeNull()
        expect(await catalog.read((reader) => reader.generations(path))).toEqual([])
      })
    })

    it('keeps sync history, newest first', async () => {
      const record = (startedAt: number) => ({
        repository: epel,
        kind: 'sync' as const,
        startedAt: new Date(startedAt),
        finishedAt: new Date(startedAt + 1),
        status: 'partial' as const,
        revision: null,
        packages: 1,
        added: 2,
        removed: 3,
        replaced: 4,
        fetchedFiles: 5,
        fetchedBytes: 6_000_000_000_000,
        missing: [{ path: 'a', url: 'https://mirror.example/a', reason: '404' }],
        warnings: [{ code: 'PACKAGE_MISSING', message: 'a' }],
        error: { code: 'SYNC_INCOMPLETE', message: 'm', hint: null, details: { missing: 1 } },
        signedBy: null,
      })
      for (const time of [1000, 3000, 2000]) await catalog.write((writer) => writer.addSync(record(time)))

      const newest = await catalog.read((reader) => reader.syncs(epel, 2))

      // A clock that was ahead for a while does not keep later ones from being the last.
      expect(newest).toEqual([record(2000), record(3000)])
      const all = await catalog.read((reader) => reader.syncs(null, 10))
      expect(all.map(({ startedAt }) => startedAt.getTime())).toEqual([3000, 2000, 1000])
    })

    describe('blobs', () => {
      it('are known by the checksums they arrived with', async () => {
        await saveBlobs(catalog, [1, 2])
        const sha1 = { algorithm: 'sha1', hex: 'ab'.repeat(20) } as const
        await catalog.write((writer) =>
          writer.addBlobChecksums([
            { digest: digestOf(1), checksum: sha1 },
            { digest: digestOf(9), checksum: { algorithm: 'md5', hex: 'cd'.repeat(16) } },
          ]),
        )

        const found = await catalog.read((reader) =>
          reader.blobByChecksum([
            { algorithm: 'sha256', hex: digestOf(2) },
            { algorithm: 'md5', hex: 'cd'.repeat(16) },
            sha1,
            sha1,
          ]),
        )

        const one = { digest: digestOf(1), size: 1 }
        expect(found).toEqual([{ digest: digestOf(2), size: 2 }, null, one, one])
      })

      it('say which are held when touched, and are left alone until nobody wanted them', async () => {
        await saveBlobs(catalog, [1, 2, 3], new Date(1000))
        const digests = [1, 2, 4].map(digestOf)

        const held = await catalog.write((writer) => writer.touchBlobs(digests, new Date(2000)))
        await catalog.write((writer) => writer.touchBlobs(digests, new Date(1500)))
        const forgotten = await catalog.write((writer) =>
          writer.forgetBlobs([1, 2, 3, 4].map(digestOf), new Date(2000)),
        )

        expect([...held].sort()).toEqual([1, 2].map(digestOf))
        expect(forgotten).toEqual([3, 4].map(digestOf))
        expect(await all(catalog, (reader) => reader.blobs())).toEqual([
          { digest: digestOf(1), size: 1 },
          { digest: digestOf(2), size: 2 },
        ])
      })

      it('that a touch wanted meanwhile are not forgotten, whoever comes first', async () => {
        const other = await open()
        const digests = Array.from({ length: 30 }, (_, index) => digestOf(index))
        await saveBlobs(
          catalog,
          digests.map((_, index) => index),
          new Date(1000),
        )

        const outcomes = await Promise.all(
          digests.map(async (digest) => {
            const [held, forgotten] = await Promise.all([
              catalog.write((writer) => writer.touchBlobs([digest], new Date(9000))),
              other.write((writer) => writer.forgetBlobs([digest], new Date(5000))),
            ])
            return [held.size, forgotten.length]
          }),
        )

        for (const outcome of outcomes)
          expect([
            [1, 0],
            [0, 1],
          ]).toContainEqual(outcome)
      })

      it('of a superseded revision are forgotten with that revision', async () => {
        await addRevision(catalog, { packages: [packageOf('a', [1]), packageOf('b', [2])] })
        await addRevision(catalog, { removed: ['a'] })

        const forgotten = await catalog.write((writer) =>
          writer.forgetBlobs([1, 2].map(digestOf), new Date(Date.now() + 1000)),
        )

        expect(forgotten).toEqual([digestOf(1)])
        expect(await catalog.read((reader) => reader.revision(epel, 1))).toBeNull()
        expect(await catalog.read((reader) => reader.revision(epel, 2))).not.toBeNull()
      })
    })

    describeLeases({ catalogOf: () => catalog, open, locationOf: () => url })
  })
}
