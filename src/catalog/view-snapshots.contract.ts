import { describe, expect, it } from 'vitest'
import type { EcosystemId, RepositoryId } from '../core/model.ts'
import { addRevision, all, epel, packageOf, pathOf } from './catalog.fixtures.ts'
import type { Catalog } from './catalog.ts'
import type { SnapshotName, ViewSnapshotRecord } from './catalog-records.ts'

const other = 'other' as RepositoryId

/** Names for one revision of each of several repositories. */
export function describeViewSnapshots(catalogOf: () => Catalog): void {
  const freeze = (
    name: string,
    members: readonly (readonly [RepositoryId, number])[],
    facts: Partial<Pick<ViewSnapshotRecord, 'view' | 'isPinned' | 'createdAt'>> = {},
  ) =>
    catalogOf().write((writer) =>
      writer.createViewSnapshot({
        view: 'el9',
        name,
        members: members.map(([repository, revision]) => ({ repository, revision })),
        createdAt: new Date(5000),
        description: 'why',
        labels: { stage: 'test' },
        createdBy: 'somebody@here',
        isPinned: false,
        ...facts,
      }),
    )
  const publish = (path: string, generation: string, sources: readonly (readonly [RepositoryId, number])[]) =>
    catalogOf().write((writer) =>
      writer.saveGeneration(
        {
          path: pathOf(path),
          generation,
          publishedAt: new Date(6000),
          sources: sources.map(([repository, revision]) => ({ repository, revision, source: 'el9' })),
          packages: 1,
          files: 1,
          signedBy: null,
          fingerprint: generation,
        },
        true,
      ),
    )
  const addOther = (name: string) =>
    catalogOf().write(async (writer) => {
      await writer.saveRepository({ id: other, ecosystem: 'rpm' as EcosystemId, mode: 'filtered' })
      const packages = [packageOf(name, [name.length])]
      await writer.addBlobs(
        packages.flatMap(({ files }) => files),
        new Date(0),
      )
      const open = await writer.openRevision(other)
      await writer.addPackages(open, packages)
      return writer.sealRevision(open, new Date(3000), null)
    })

  describe('a snapshot of a view', () => {
    it('names a revision of every member, in order, with why, when and by whom', async () => {
      const catalog = catalogOf()
      const first = await addRevision(catalog, { packages: [packageOf('a', [1])] })
      const second = await addOther('four')

      const made = await freeze('one', [
        [other, 1],
        [epel, 1],
      ])

      expect(made).toEqual({
        view: 'el9',
        name: 'one',
        revisions: [second, first],
        createdAt: new Date(5000),
        description: 'why',
        labels: { stage: 'test' },
        createdBy: 'somebody@here',
        isPinned: false,
      })
      expect(await catalog.read((reader) => reader.viewSnapshot('el9', 'one'))).toEqual(made)
      expect(await catalog.read((reader) => reader.viewSnapshot('el8', 'one'))).toBeNull()
    })

    it('is listed in order of creation, pinned, unpinned and deleted', async () => {
      const catalog = catalogOf()
      await addRevision(catalog, {})
      await freeze('late', [[epel, 1]], { createdAt: new Date(9000) })
      await freeze('early', [[epel, 1]], { createdAt: new Date(1000), isPinned: true })
      await freeze('elsewhere', [[epel, 1]], { view: 'el8' })
      const pins = await catalog.write(async (writer) => [
        await writer.pinViewSnapshot('el9', 'late', true),
        await writer.pinViewSnapshot('el9', 'early', false),
        await writer.pinViewSnapshot('el9', 'none', true),
      ])
      await catalog.write((writer) => writer.deleteViewSnapshot('el8', 'elsewhere'))
      await catalog.write((writer) => writer.deleteViewSnapshot('el9', 'none'))

      const seen = await catalog.read((reader) => reader.viewSnapshots('el9'))
      expect(pins).toEqual([true, true, false])
      expect(seen.map(({ name, isPinned }) => [name, isPinned])).toEqual([
        ['early', false],
        ['late', true],
      ])
      expect(await catalog.read((reader) => reader.viewSnapshots())).toEqual(seen)
      expect((await catalog.read((reader) => reader.counts())).snapshots).toBe(2)
    })

    it('is made once under a name, of revisions that are kept, and wholly or not at all', async () => {
      const catalog = catalogOf()
      await addRevision(catalog, {})
      await freeze('one', [[epel, 1]])

      await expect(freeze('one', [[epel, 1]])).rejects.toMatchObject({ code: 'ALREADY_EXISTS' })
      await expect(
        freeze('two', [
          [epel, 1],
          [epel, 2],
        ]),
      ).rejects.toMatchObject({ code: 'NOT_FOUND' })
      expect((await catalog.read((reader) => reader.viewSnapshots())).map(({ name }) => name)).toEqual([
        'one',
      ])
    })

    it('keeps the revisions that it names from pruning, and their blobs from garbage collection', async () => {
      const catalog = catalogOf()
      await addRevision(catalog, { packages: [packageOf('a', [1])] })
      await addRevision(catalog, { removed: ['a'], packages: [packageOf('b', [2])] })
      await addRevision(catalog, { removed: ['b'], packages: [packageOf('c', [3])] })
      await freeze('first', [[epel, 1]])
      const kept = async () =>
        (await catalog.read((reader) => reader.revisions(epel))).map(({ number }) => number)
      const reached = async () =>
        (await all(catalog, (reader) => reader.reachableBlobs())).map(({ size }) => size).sort()

      await catalog.write((writer) => writer.pruneRevisions(new Date(10_000)))
      const frozen = [await kept(), await reached()]
      await catalog.write((writer) => writer.deleteViewSnapshot('el9', 'first'))
      const deleted = await reached()
      await catalog.write((writer) => writer.pruneRevisions(new Date(10_000)))

      expect(frozen).toEqual([
        [1, 3],
        [1, 3],
      ])
      expect(deleted).toEqual([3])
      expect(await kept()).toEqual([3])
    })

    it('holds alone what neither another snapshot nor anything else reaches', async () => {
      const catalog = catalogOf()
      await addRevision(catalog, { packages: [packageOf('a', [1]), packageOf('b', [2])] })
      await addRevision(catalog, { removed: ['a'] })
      await addRevision(catalog, { removed: ['b'] })
      await freeze('first', [[epel, 1]])
      await freeze('second', [[epel, 2]])
      await catalog.write((writer) =>
        writer.createSnapshot({
          repository: epel,
          name: 'second',
          revision: 2,
          createdAt: new Date(5000),
          description: null,
          labels: {},
          createdBy: null,
          isPinned: false,
        }),
      )
      const onlyIn = async (...names: readonly SnapshotName[]) =>
        (await all(catalog, (reader) => reader.blobsOnlyIn(names))).map(({ size }) => size)

      expect({
        first: await onlyIn({ view: 'el9', name: 'first' }),
        second: await onlyIn({ view: 'el9', name: 'second' }),
        views: await onlyIn({ view: 'el9', name: 'first' }, { view: 'el9', name: 'second' }),
        all: await onlyIn(
          { view: 'el9', name: 'first' },
          { view: 'el9', name: 'second' },
          { repository: epel, name: 'second' },
        ),
        otherView: await onlyIn({ view: 'el8', name: 'first' }),
      }).toEqual({ first: [1], second: [], views: [1], all: [1, 2], otherView: [] })
    })

    it("is used by its view's generations of just its revisions, and uses its members' snapshots", async () => {
      const catalog = catalogOf()
      await addRevision(catalog, {})
      await addRevision(catalog, {})
      await addOther('x')
      await freeze('both', [
        [epel, 1],
        [other, 1],
      ])
      await freeze('alone', [[epel, 2]])
      await freeze('same', [[epel, 2]], { view: 'el8' })
      await catalog.write((writer) =>
        writer.createSnapshot({
          repository: epel,
          name: 'mine',
          revision: 1,
          createdAt: new Date(5000),
          description: null,
          labels: {},
          createdBy: null,
          isPinned: false,
        }),
      )
      await publish('views/el9/latest', 'g1', [
        [epel, 1],
        [other, 1],
      ])
      await publish('views/el9/latest', 'g2', [[epel, 2]])
      await publish('repositories/epel9/latest', 'g1', [[epel, 2]])

      const uses = await catalog.read((reader) => reader.snapshotUses())

      const latest = { kind: 'publication', path: 'views/el9/latest' }
      expect(Object.fromEntries(uses)).toEqual({
        'el9@both': [latest],
        'el9@alone': [latest],
        'epel9@mine': [latest, { kind: 'view snapshot', source: 'el9@both' }],
      })
    })

    it('keeps a repository of its view from being removed', async () => {
      const catalog = catalogOf()
      await addRevision(catalog, {})
      await freeze('one', [[epel, 1]])
      const remove = () => catalog.write((writer) => writer.removeRepository(epel, new Date(9000)))

      await expect(remove()).rejects.toMatchObject({ code: 'USAGE_INVALID' })
      await catalog.write((writer) => writer.deleteViewSnapshot('el9', 'one'))
      expect(await remove()).toEqual({ isDone: true })
    })
  })

  describe('native records of mirrors', () => {
    it('are with the revisions that were made on such terms', async () => {
      const catalog = catalogOf()
      const mirror = { id: other, ecosystem: 'rpm' as EcosystemId, mode: 'mirror' } as const
      const seal = (terms: { readonly hasRecords?: boolean }) =>
        catalog.write(async (writer) => {
          await writer.saveRepository({ ...mirror, ...terms })
          const { hasRecords } = await writer.sealRevision(
            await writer.openRevision(other),
            new Date(0),
            null,
          )
          return hasRecords
        })

      expect([await seal({}), await seal({ hasRecords: true }), await seal({ hasRecords: false })]).toEqual([
        false,
        true,
        false,
      ])
      const revisions = await catalog.read((reader) => reader.sealedRevisions(other))
      expect(revisions.map(({ hasRecords }) => hasRecords)).toEqual([false, true, false])
    })
  })
}
