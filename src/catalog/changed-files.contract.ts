import { describe, expect, it } from 'vitest'
import type { Revision } from '../core/model.ts'
import { addRevision, fileOf, packageOf } from './catalog.fixtures.ts'
import type { Catalog } from './catalog.ts'

/** What a published tree changes by from one revision to another. The model compares sequences of revisions at random. */
export function describeChangedFiles(catalogOf: () => Catalog): void {
  const changesOf = async (before: Revision, after: Revision) => {
    const { gone, came } = await catalogOf().read((reader) => reader.changedFiles(before, after))
    return { gone: gone.map(({ path }) => path).sort(), came: came.map(({ path }) => path).sort() }
  }

  describe('files that changed', () => {
    it('are those of packages that went and came, both ways', async () => {
      const first = await addRevision(catalogOf(), {
        packages: [packageOf('a', [1]), packageOf('b', [2, 3])],
      })
      const second = await addRevision(catalogOf(), { removed: ['b'], packages: [packageOf('c', [4])] })

      const [went, came] = [['packages/b-0', 'packages/b-1'], ['packages/c-0']]
      expect(await changesOf(first, second)).toEqual({ gone: went, came })
      expect(await changesOf(second, first)).toEqual({ gone: came, came: went })
      expect(await changesOf(second, second)).toEqual({ gone: [], came: [] })
    })

    it('have nothing that another package has under the same path', async () => {
      const shared = fileOf('pool/orig.tar.xz', 9)
      const source = (name: string, blob: number) => {
        const { files, ...rest } = packageOf(name, [blob])
        return { ...rest, files: [files[0], shared] as const }
      }
      const first = await addRevision(catalogOf(), { packages: [source('1.0-1', 1), source('1.0-2', 2)] })
      const second = await addRevision(catalogOf(), { removed: ['1.0-1'] })

      expect(await changesOf(first, second)).toEqual({ gone: ['packages/1.0-1-0'], came: [] })
    })

    it('tell where a package lies that went and came back with the same identity', async () => {
      const moved = { ...packageOf('a', [1]), files: [fileOf('elsewhere/a', 1)] as const }
      const first = await addRevision(catalogOf(), { packages: [packageOf('a', [1])] })
      await addRevision(catalogOf(), { removed: ['a'] })
      const third = await addRevision(catalogOf(), { packages: [moved] })

      expect(await changesOf(first, third)).toEqual({ gone: ['packages/a-0'], came: ['elsewhere/a'] })
    })

    it('name every other file of the revision before, unless it is a package now', async () => {
      const files = [fileOf('images/boot.iso', 7), fileOf('packages/a-0', 1)]
      const first = await addRevision(catalogOf(), { files })
      const second = await addRevision(catalogOf(), { files, packages: [packageOf('a', [1])] })

      expect(await changesOf(first, second)).toEqual({ gone: ['images/boot.iso'], came: ['packages/a-0'] })
    })
  })
}
