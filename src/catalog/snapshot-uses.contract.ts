import { describe, expect, it } from 'vitest'
import type { EcosystemId, RepositoryId } from '../core/model.ts'
import { addRevision, all, epel, fileOf, packageOf, pathOf } from './catalog.fixtures.ts'
import type { Catalog } from './catalog.ts'

/** What keeps snapshots, and what only they keep. */
export function describeSnapshotUses(catalogOf: () => Catalog): void {
  const snapshot = (name: string, revision: number, isPinned = false) =>
    catalogOf().write((writer) =>
      writer.createSnapshot({
        repository: epel,
        name,
        revision,
        createdAt: new Date(5000),
        description: null,
        labels: {},
        createdBy: null,
        isPinned,
      }),
    )
  const publish = (path: string, generation: string, revision: number) =>
    catalogOf().write((writer) =>
      writer.saveGeneration(
        {
          path: pathOf(path),
          generation,
          publishedAt: new Date(6000),
          sources: [{ repository: epel, revision, source: 'epel9' }],
          packages: 1,
          files: 1,
          signedBy: null,
          fingerprint: generation,
        },
        true,
      ),
    )
  const onlyIn = async (...names: readonly string[]) => {
    const named = names.map((name) => ({ repository: epel, name }))
    return (await all(catalogOf(), (reader) => reader.blobsOnlyIn(named))).map(({ size }) => size)
  }

  describe('a snapshot', () => {
    it('is pinned and unpinned, and one that there is not is told', async () => {
      await addRevision(catalogOf(), {})
      await snapshot('one', 1)
      await snapshot('two', 1, true)
      const pin = (name: string, isPinned: boolean) =>
        catalogOf().write((writer) => writer.pinSnapshot(epel, name, isPinned))

      const found = [
        await pin('one', true),
        await pin('two', false),
        await pin('three', true),
        await catalogOf().write((writer) => writer.pinSnapshot('other' as RepositoryId, 'one', true)),
      ]

      const seen = await catalogOf().read((reader) => reader.snapshots(epel))
      expect(found).toEqual([true, true, false, false])
      expect(seen.map(({ name, isPinned }) => [name, isPinned])).toEqual([
        ['one', true],
        ['two', false],
      ])
    })

    it('is used by the paths of all generations that show its revision, each once', async () => {
      await addRevision(catalogOf(), {})
      await addRevision(catalogOf(), {})
      await addRevision(catalogOf(), {})
      for (const [name, revision] of [
        ['one', 1],
        ['same', 1],
        ['two', 2],
        ['unused', 3],
      ] as const)
        await snapshot(name, revision)
      await publish('repositories/epel9/snapshots/stable', 'g1', 1)
      await publish('repositories/epel9/snapshots/stable', 'g2', 1)
      await publish('repositories/epel9/snapshots/stable', 'g3', 2)
      await publish('repositories/epel9/latest', 'g1', 1)

      const uses = await catalogOf().read((reader) => reader.snapshotUses())

      const latest = { kind: 'publication', path: 'repositories/epel9/latest' }
      const stable = { kind: 'publication', path: 'repositories/epel9/snapshots/stable' }
      expect(Object.fromEntries(uses)).toEqual({
        'epel9@one': [latest, stable],
        'epel9@same': [latest, stable],
        'epel9@two': [stable],
      })
    })

    it('holds alone what no other root reaches', async () => {
      const catalog = catalogOf()
      await addRevision(catalog, {
        packages: [packageOf('a', [1, 2]), packageOf('b', [3])],
        files: [fileOf('f', 4)],
      })
      await addRevision(catalog, { removed: ['a'], packages: [packageOf('c', [2])], files: [fileOf('f', 5)] })
      await addRevision(catalog, { removed: ['c'], files: [fileOf('f', 6)] })
      await snapshot('first', 1)
      await snapshot('first-again', 1)
      await snapshot('second', 2)
      await snapshot('third', 3)

      expect({
        nothing: await onlyIn(),
        absent: await onlyIn('nope'),
        latest: await onlyIn('third'),
        shared: await onlyIn('first'),
        first: await onlyIn('first', 'first-again'),
        second: await onlyIn('second'),
        both: await onlyIn('first', 'second', 'first-again', 'third'),
      }).toEqual({
        nothing: [],
        absent: [],
        latest: [],
        shared: [],
        first: [1, 4],
        second: [5],
        both: [1, 2, 4, 5],
      })
    })

    it('holds nothing alone that a generation shows, or a revision in the making', async () => {
      const catalog = catalogOf()
      await addRevision(catalog, { packages: [packageOf('a', [1])] })
      await snapshot('first', 1)
      const open = await catalog.write((writer) => writer.openRevision(epel))
      await catalog.write((writer) => writer.removePackages(open, [packageOf('a', [1]).key]))
      const whileOpen = await onlyIn('first')
      await catalog.write((writer) => writer.sealRevision(open, new Date(2000), null))
      const sealed = await onlyIn('first')
      await publish('repositories/epel9/snapshots/first', 'g1', 1)

      expect([whileOpen, sealed, await onlyIn('first')]).toEqual([[], [1], []])
    })

    it('holds nothing alone that another repository has too', async () => {
      const catalog = catalogOf()
      const other = 'other' as RepositoryId
      await addRevision(catalog, { packages: [packageOf('a', [1]), packageOf('b', [2])] })
      await snapshot('first', 1)
      await addRevision(catalog, { removed: ['a', 'b'] })
      await catalog.write(async (writer) => {
        await writer.saveRepository({ id: other, ecosystem: 'rpm' as EcosystemId, mode: 'mirror' })
        const open = await writer.openRevision(other)
        await writer.addPackages(open, [packageOf('a', [1])])
        await writer.sealRevision(open, new Date(3000), null)
      })

      expect(await onlyIn('first')).toEqual([2])
    })
  })
}
