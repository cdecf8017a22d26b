import { execFileSync } from 'node:child_process'
import { mkdtemp, readdir, readFile, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { sql } from 'kysely'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { EcosystemId, RepositoryId } from '../core/model.ts'
import { addRevision, all, digestOf, epel, fileOf, keyOf, packageOf, pathOf } from './catalog.fixtures.ts'
import type { Catalog } from './catalog.ts'
import { openDatabase } from './catalog-database.ts'
import type { SqlEngine } from './engine.ts'
import type { LeaseRequest } from './lease.ts'
import { type CatalogLocation, openCatalog } from './open-catalog.ts'
import { openEngine } from './open-engine.ts'

const now = () => new Date()
const { signal } = new AbortController()
const never = new Date(1e15)
const noParts = new Map<EcosystemId, readonly string[]>()

/** What looking after a catalog's database comes to. @param locate a place where no catalog is yet */
export function describeUpkeep(name: string, locate: () => Promise<CatalogLocation>): void {
  describe(`${name}, looked after,`, () => {
    let url: CatalogLocation
    let catalog: Catalog
    let engine: SqlEngine
    let folder: string
    const database = () => openDatabase({ url, now })

    beforeEach(async () => {
      url = await locate()
      folder = await mkdtemp(path.join(tmpdir(), 'chantal-upkeep-'))
    })

    describe('while there is no catalog', () => {
      it('has nothing but pending migrations, and looking makes none', async () => {
        const status = await database().status()
        const again = await database().status()

        expect(status).toMatchObject({ engine: url.kind, id: null, schema: 0, applied: [], leases: [] })
        expect(status.pending.map(({ number }) => number)).toEqual(
          Array.from({ length: status.knownSchema }, (_, index) => index + 1),
        )
        expect(again.schema).toBe(0)
      })

      it('is made by an upgrade, which does nothing the second time', async () => {
        const first = await database().upgrade()
        const second = await database().upgrade()
        const status = await database().status()

        expect(first).toMatchObject({ from: 0, to: status.knownSchema })
        expect(first.applied).toHaveLength(status.knownSchema)
        expect(second).toEqual({ from: status.knownSchema, to: status.knownSchema, applied: [] })
        expect(status).toMatchObject({ schema: status.knownSchema, pending: [] })
        expect(status.id).toMatch(/^[0-9a-f-]{36}$/)
      })

      it('has nothing to back up', async () => {
        const backup = database().backup(path.join(folder, 'copy'), false, signal)

        await expect(backup).rejects.toMatchObject({ code: 'NOT_FOUND' })
        expect(await readdir(folder)).toEqual([])
      })
    })

    describe('with a catalog', () => {
      beforeEach(async () => {
        catalog = await openCatalog({ url, now })
        engine = await openEngine({ url, now })
      })

      afterEach(async () => {
        await engine[Symbol.asyncDispose]()
        await catalog[Symbol.asyncDispose]()
      })

      const request = (resource: LeaseRequest['resource'], waitMs = 0): LeaseRequest => ({
        resource,
        mode: resource === 'pool' ? 'shared' : 'exclusive',
        purpose: `work on ${resource}`,
        waitMs,
        signal,
      })

      describe('the lease on the catalog', () => {
        it('is refused while anybody is at work, and names them', async () => {
          await using _sync = await catalog.acquire(request('repository:epel9'))

          const vacuum = catalog.acquire(request('catalog', 60_000))

          await expect(vacuum).rejects.toMatchObject({
            code: 'LEASE_HELD',
            details: { resource: 'repository:epel9' },
          })
        })

        it('does not stand in the way of what holders of another need to end', async () => {
          await using _sync = await catalog.acquire(request('repository:epel9'))
          await catalog.acquire(request('catalog', 60_000)).catch(() => {})

          await using pool = await catalog.acquire(request('pool'))

          expect(pool.signal.aborted).toBe(false)
        })

        it('keeps everybody else waiting', async () => {
          const vacuum = await catalog.acquire(request('catalog'))
          const refused = catalog.acquire(request('pool'))
          await expect(refused).rejects.toMatchObject({ details: { resource: 'catalog' } })

          const waiting = catalog.acquire(request('repository:epel9', 30_000))
          await vacuum[Symbol.asyncDispose]()
          await using sync = await waiting

          expect(sync.signal.aborted).toBe(false)
        })
      })

      it('says who works on what, and whether they live', async () => {
        await using _sync = await catalog.acquire(request('repository:epel9'))
        await engine.write((db) =>
          sql`insert into lease (resource, mode, state, purpose, host, machine, boot, namespace, pid, process_start, acquired_at, expires_at)
            values ('repository:epel9', 'exclusive', 'held', 'twice', 'elsewhere', '', '', '', 1, '', 0, 9000000000000000),
              ('garbage', 'exclusive', 'held', 'dead', 'elsewhere', '', '', '', 1, '', 0, 1)`.execute(db),
        )

        const { leases } = await database().status()

        expect(leases.map(({ purpose, health }) => [purpose, health])).toEqual([
          ['work on repository:epel9', 'conflicting'],
          ['twice', 'conflicting'],
          ['dead', 'dead'],
        ])
      })

      it('shows no password', async () => {
        const { location } = await database().status()

        expect(location).not.toMatch(/of%20the%20tests|of the tests/)
      })

      it('is refused where a newer program has migrated it', async () => {
        await engine.write((db) =>
          sql`insert into migration (number, name, applied_at) values (99, 'from the future', 0)`.execute(db),
        )

        await expect(database().status()).rejects.toMatchObject({ code: 'CATALOG_TOO_NEW' })
        await expect(database().upgrade()).rejects.toMatchObject({ code: 'CATALOG_TOO_NEW' })
      })

      it('gives back what deleted rows took', async () => {
        const bulk = 'x'.repeat(2_000_000)
        await catalog.write((writer) =>
          writer.saveRepository({ id: epel, ecosystem: 'rpm' as EcosystemId, mode: 'mirror' }),
        )
        await catalog.write((writer) =>
          writer.saveCheckpoint(epel, [...bulk].map((_, n) => n).join(''), null),
        )
        await catalog.write((writer) => writer.saveCheckpoint(epel, null, null))
        const before = await catalog.size()

        await catalog.vacuum()

        expect(await catalog.size()).toBeLessThanOrEqual(before)
        if (url.kind === 'sqlite') expect(await catalog.size()).toBeLessThan(before / 2)
        expect(await catalog.read((reader) => reader.repository(epel))).toMatchObject({ checkpoint: null })
      })

      describe('pruning', () => {
        const revisions = async (count: number) => {
          for (let number = 1; number <= count; number++)
            await addRevision(catalog, {
              packages: [packageOf(`p${number}`, [number]), packageOf(`q${number}`, [number])],
              removed: number === 1 ? [] : [`p${number - 1}`, `q${number - 1}`],
              files: [fileOf('repomd.xml', number)],
              sealedAt: new Date(number * 1000),
            })
        }

        it('hides every revision at once, and deletes their rows as many at a time as it may', async () => {
          await revisions(6)
          const steps: unknown[] = []
          let kept = 0

          for (let isDone = false; !isDone; ) {
            const step = await catalog.write((writer) => writer.pruneRevisions(never, 3))
            if (steps.length === 0) kept = (await catalog.read((reader) => reader.revisions(epel))).length
            steps.push(step)
            isDone = step.isDone
          }

          expect(steps[0]).toEqual({ revisions: 5, isDone: false })
          expect(steps.length).toBeGreaterThan(3)
          expect(kept).toBe(1)
          const { packages, repositoryFiles, prunedRevisions } = await catalog.read((reader) =>
            reader.statistics(),
          )
          expect({ packages, repositoryFiles, prunedRevisions }).toEqual({
            packages: 2,
            repositoryFiles: 1,
            prunedRevisions: 5,
          })
          expect(await all(catalog, (reader) => reader.flaws(noParts))).toEqual([])
        })

        it('that was interrupted is finished by the next, also where a blob is forgotten first', async () => {
          await revisions(4)
          await catalog.write((writer) => writer.pruneRevisions(never, 1))

          const forgotten = await catalog.write((writer) =>
            writer.forgetBlobs([1, 2, 3, 4].map(digestOf), never),
          )
          const last = await catalog.write((writer) => writer.pruneRevisions(never))

          expect(forgotten).toEqual([1, 2, 3].map(digestOf))
          expect(last).toMatchObject({ revisions: 0 })
          expect(await all(catalog, (reader) => reader.flaws(noParts))).toEqual([])
          expect((await catalog.read((reader) => reader.statistics())).packages).toBe(2)
        })
      })

      describe('removing a repository', () => {
        const packages = Array.from({ length: 9 }, (_, index) => packageOf(`p${index}`, [index + 1]))
        const isThere = () => catalog.read((reader) => reader.repository(epel))
        const remove = (maxRows: number) =>
          catalog.write((writer) => writer.removeRepository(epel, new Date(5000), maxRows))

        it('leaves nothing of it, in as many transactions as it takes', async () => {
          await addRevision(catalog, { packages, files: [fileOf('repomd.xml', 20)] })
          await catalog.write((writer) => writer.openRevision(epel))

          const steps = [await remove(4), await remove(4), await remove(1000)]

          expect(steps).toEqual([{ isDone: false }, { isDone: false }, { isDone: true }])
          expect(await isThere()).toBeNull()
          const statistics = await catalog.read((reader) => reader.statistics())
          expect(statistics).toMatchObject({ packages: 0, packageFiles: 0, repositoryFiles: 0, revisions: 0 })
          expect(await all(catalog, (reader) => reader.reachableBlobs())).toEqual([])
        })

        it('that was interrupted leaves an empty one, which can be synced again', async () => {
          await addRevision(catalog, { packages })
          await remove(4)

          const between = await isThere()
          const revision = await addRevision(catalog, { packages: packages.slice(0, 2) })

          expect(between).toMatchObject({ latest: null })
          expect(revision).toMatchObject({ number: 2, packageCount: 2 })
          expect(await all(catalog, (reader) => reader.flaws(noParts))).toEqual([])
        })

        it('is refused while a snapshot names it', async () => {
          const { number } = await addRevision(catalog, { packages })
          await catalog.write((writer) =>
            writer.createSnapshot({
              repository: epel,
              name: 'first',
              revision: number,
              createdAt: new Date(),
              description: null,
              labels: {},
              createdBy: null,
              isPinned: false,
            }),
          )

          await expect(remove(1000)).rejects.toMatchObject({ code: 'USAGE_INVALID' })
          expect(await isThere()).toMatchObject({ latest: { number } })
        })

        it('takes what is not there for done', async () => {
          expect(await remove(10)).toEqual({ isDone: true })
        })
      })

      describe('in figures', () => {
        it('counts what each repository holds, and what it holds alone', async () => {
          await addRevision(catalog, {
            packages: [packageOf('a', [100]), packageOf('b', [10, 100])],
            files: [fileOf('repomd.xml', 1)],
            sealedAt: new Date('2026-01-31T23:59:59Z'),
          })
          await addRevision(catalog, {
            removed: ['a'],
            files: [fileOf('repomd.xml', 2)],
            sealedAt: new Date('2026-02-01T00:00:00Z'),
          })
          const other = 'baseos9' as RepositoryId
          await catalog.write(async (writer) => {
            await writer.saveRepository({ id: other, ecosystem: 'apt' as EcosystemId, mode: 'mirror' })
            const open = await writer.openRevision(other)
            await writer.addPackages(open, [packageOf('c', [100])])
            await writer.sealRevision(open, new Date('2026-02-02T00:00:00Z'), null)
          })

          const statistics = await catalog.read((reader) => reader.statistics())

          expect(statistics).toMatchObject({
            revisions: 3,
            packages: 3,
            packageFiles: 4,
            repositoryFiles: 2,
            blobs: 4,
            blobBytes: 113,
            referencedBytes: 111 + 112 + 100,
            publishedBytes: 0,
          })
          expect(
            statistics.byRepository.map(({ repository, heldBytes, ownBytes, packages }) => [
              repository,
              heldBytes,
              ownBytes,
              packages,
            ]),
          ).toEqual([
            ['baseos9', 100, 0, 1],
            ['epel9', 113, 13, 1],
          ])
          expect(
            statistics.byEcosystem.map(({ ecosystem, heldBytes, sizeBytes }) => [
              ecosystem,
              heldBytes,
              sizeBytes,
            ]),
          ).toEqual([
            ['apt', 100, 100],
            ['rpm', 113, 112],
          ])
          expect(
            statistics.months.map(({ month, revisions, packages, sizeBytes }) => [
              month,
              revisions,
              packages,
              sizeBytes,
            ]),
          ).toEqual([
            ['2026-01', 1, 2, 111],
            ['2026-02', 2, 2, 212],
          ])
        })

        it('counts in which time what was synced', async () => {
          const sync = {
            repository: epel,
            kind: 'sync' as const,
            startedAt: new Date('2026-03-01T00:00:00Z'),
            finishedAt: new Date('2026-03-01T00:01:00Z'),
            status: 'synced' as const,
            revision: 1,
            packages: 5,
            added: 5,
            removed: 2,
            replaced: 0,
            fetchedFiles: 7,
            fetchedBytes: 5_000_000_000,
            missing: [],
            warnings: [],
            error: null,
            signedBy: null,
          }
          await catalog.write(async (writer) => {
            await writer.addSync(sync)
            await writer.addSync({ ...sync, status: 'failed', fetchedBytes: 1 })
          })

          const [statistics, since, later] = await catalog.read(async (reader) => [
            await reader.statistics(),
            await reader.activitySince(new Date('2026-03-01T00:01:00Z')),
            await reader.activitySince(new Date('2026-03-01T00:01:01Z')),
          ])

          expect(statistics.months).toMatchObject([
            { month: '2026-03', syncs: 2, packagesAdded: 5, packagesRemoved: 2, fetchedBytes: 5_000_000_001 },
          ])
          expect(since).toEqual({ revisions: 0, syncs: 2, fetchedFiles: 14, fetchedBytes: 5_000_000_001 })
          expect(later).toEqual({ revisions: 0, syncs: 0, fetchedFiles: 0, fetchedBytes: 0 })
        })
      })

      describe('checked', () => {
        const flaws = async (parts = noParts) => {
          const found = await all(catalog, (reader) => reader.flaws(parts))
          return found.map(({ check, subject, message }) => `${check}: ${subject} ${message}`)
        }
        const break_ = (statement: string) => engine.write((db) => sql.raw(statement).execute(db))

        beforeEach(async () => {
          await addRevision(catalog, {
            packages: [packageOf('a', [1, 2]), packageOf('b', [3])],
            files: [fileOf('repomd.xml', 4)],
            records: [{ key: keyOf('a'), part: 'primary', bytes: Buffer.from('a') }],
          })
          await addRevision(catalog, { removed: ['a'], packages: [packageOf('c', [5])] })
        })

        it('is sound as it was written', async () => {
          expect(await flaws()).toEqual([])
          expect(await catalog.schemaFlaws()).toEqual([])
        })

        it.each([
          [
            'a package that is there twice',
            `update package set removed_in = null where key = 'a'`,
            ['revision: revision 2 should hold 2 packages and holds 3'],
          ],
          [
            'an interval that ends before it begins',
            `update package set added_in = 2, removed_in = 1 where key = 'b'`,
            ['interval: b is there from revision 2 to 1, which cannot be: there are revisions 1 to 2'],
          ],
          [
            'rows of one key that overlap',
            `update package set key = 'b', added_in = 1, removed_in = 2 where key = 'a'`,
            ['interval: b is there twice: from revision 1 to 2, and again from 1'],
          ],
          [
            'another count than the revision has',
            'update revision set package_count = 7 where number = 2',
            ['revision: revision 2 should hold 7 packages and holds 2'],
          ],
          [
            'another size than the revision has',
            'update revision set total_size = total_size + 1 where number = 1',
            ['revision: revision 1 should hold 11 bytes and holds 10'],
          ],
          [
            'a latest revision that is not the newest',
            'update repository set latest = 1',
            ['revision: revision 1 is called the latest, and the newest is 2'],
          ],
          [
            'a latest revision that is not kept',
            'update revision set pruned_at = 1 where number = 2',
            ['revision: revision 2 is needed by epel9 as its latest and not kept'],
          ],
          [
            'a chunk that counts too few records',
            'update record_chunk set live = 0',
            ['record: chunk 1 counts 0 native records, and 1 name it'],
          ],
          [
            'a chunk that is gone',
            'delete from record_chunk',
            ['reference: package_record 1 names a record chunk that is not there (chunk)'],
          ],
          [
            'a package without a file',
            'delete from package_file where blob = (select blob from package_file order by blob desc limit 1)',
            ['reference: c a package without a file'],
          ],
        ])('names %s', async (_, statement, expected) => {
          await break_(statement)

          expect(await flaws()).toEqual(expect.arrayContaining(expected))
        })

        it('asks for the native records that a tree is generated from', async () => {
          await break_(`update revision set mode = 'filtered', has_records = 1`)

          const found = await flaws(new Map([['rpm' as EcosystemId, ['primary']]]))

          expect(found).toEqual(
            ['b', 'c'].map((key) => `record: ${key} has no native record of its part primary`),
          )
        })

        it('names what is missing of its schema', async () => {
          await break_('drop index package_file_blob')

          const found = await catalog.schemaFlaws()

          expect(found).toContainEqual({
            check: 'schema',
            repository: null,
            subject: 'index package_file_blob',
            message: 'is missing',
          })
        })
      })

      describe('backed up', () => {
        /** As the guide says. */
        const restore = async (file: string): Promise<CatalogLocation> => {
          if (url.kind === 'sqlite') return { kind: 'sqlite', file }
          const empty = await locate()
          if (empty.kind !== 'postgresql') throw new Error('another engine')
          execFileSync('pg_restore', ['--no-owner', '--dbname', empty.url.href, file])
          return empty
        }
        const copy = () => path.join(folder, 'copy.db')
        const backUp = (isReplaced = false) => database().backup(copy(), isReplaced, signal)

        it('is a file of the same, readable by its owner alone, with nothing beside it', async () => {
          await addRevision(catalog, { packages: [packageOf('a', [1])] })
          await using _sync = await catalog.acquire(request('repository:epel9'))

          const { sizeBytes, format } = await backUp()

          const { size, mode } = await stat(copy())
          expect([sizeBytes, mode & 0o777]).toEqual([size, 0o600])
          expect(await readdir(folder)).toEqual(['copy.db'])
          expect(format).toBe(url.kind === 'sqlite' ? 'sqlite' : 'pg_dump')
          await using restored = await openCatalog({ url: await restore(copy()), now })
          expect(restored.id).toBe(catalog.id)
          expect(await restored.leases()).toEqual([])
          expect(await restored.read((reader) => reader.repositories())).toEqual(
            await catalog.read((reader) => reader.repositories()),
          )
        })

        it('holds one state, although others go on writing', async () => {
          await addRevision(catalog, { packages: [packageOf('a', [1])] })
          let isDone = false
          const writing = (async () => {
            for (let number = 2; !isDone || number < 10; number++) {
              await addRevision(catalog, { packages: [packageOf(`p${number}`, [number])] })
              await setImmediate()
            }
          })()

          await backUp()
          isDone = true
          await writing

          await using restored = await openCatalog({ url: await restore(copy()), now })
          expect(await all(restored, (reader) => reader.flaws(noParts))).toEqual([])
          expect(await restored.schemaFlaws()).toEqual([])
        })

        it('replaces nothing unless it is told to', async () => {
          await writeFile(copy(), 'precious')

          const refused = backUp()

          await expect(refused).rejects.toMatchObject({ code: 'ALREADY_EXISTS' })
          expect(await readFile(copy(), 'utf8')).toBe('precious')
          await backUp(true)
          expect((await stat(copy())).size).toBeGreaterThan(1000)
          expect(await readdir(folder)).toEqual(['copy.db'])
        })

        it('leaves nothing where it was interrupted', async () => {
          const controller = new AbortController()
          controller.abort(new Error('stopped'))

          const interrupted = database().backup(copy(), false, controller.signal)

          await expect(interrupted).rejects.toThrow()
          expect(await readdir(folder)).toEqual([])
        })

        it('says where it cannot write', async () => {
          const nowhere = database().backup(path.join(folder, 'absent', 'copy.db'), false, signal)

          await expect(nowhere).rejects.toMatchObject({ code: 'NOT_WRITABLE' })
        })

        it('never takes the place of the catalog itself', async () => {
          if (url.kind !== 'sqlite') return
          await symlink(url.file, copy())

          await expect(backUp(true)).rejects.toMatchObject({ code: 'USAGE_INVALID' })
        })
      })

      it('names publications whose generation is gone', async () => {
        const { number } = await addRevision(catalog, { packages: [packageOf('a', [1])] })
        const latest = pathOf('repositories/epel9/latest')
        await catalog.write((writer) =>
          writer.saveGeneration(
            {
              path: latest,
              generation: '20260101T000000Z-1',
              publishedAt: new Date(),
              sources: [{ repository: epel, revision: number, source: 'epel9' }],
              packages: 1,
              files: 1,
              signedBy: null,
              fingerprint: 'f',
            },
            true,
          ),
        )
        await catalog.write((writer) => writer.forgetGenerations(latest, ['20260101T000000Z-1']))

        const found = await all(catalog, (reader) => reader.flaws(noParts))

        expect(found).toMatchObject([{ check: 'reference', subject: `publication ${latest}` }])
      })
    })
  })
}
