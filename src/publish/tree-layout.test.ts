import { describe, expect, it } from 'vitest'
import type { RepositoryId } from '../core/model.ts'
import { parseRelativePath, type RelativePath } from '../core/path.ts'
import { layOutTree } from './tree-layout.ts'

describe('laying out a tree', () => {
  it.each([
    ['the folder of all packages', ['Packages/b/bash=a'], ['repodata/repomd.xml'], { Packages: 'a' }, []],
    ['the highest of several', ['pool/main/a/x=a', 'pool/main/b/y=a'], ['dists/Release'], { pool: 'a' }, []],
    ['below where metadata lies', ['p/x/1=a', 'p/y/2=a'], ['p/index'], { 'p/x': 'a', 'p/y': 'a' }, []],
    ['each member of a view', ['one/P/x=a', 'two/P/y=b'], ['two/index'], { one: 'a', 'two/P': 'b' }, []],
    ['nothing of a flat repository', ['x=a', 'y=a'], ['Packages'], {}, ['x', 'y']],
    ['nothing that two repositories share', ['P/x=a', 'P/y=b'], [], {}, ['P/x', 'P/y']],
    ['the rest of what they share', ['P/x=a', 'P/s/y=b', 'P/z=a'], [], { 'P/s': 'b' }, ['P/x', 'P/z']],
  ])('links %s', (_title, packages, metadata, links, direct) => {
    const layout = layOutTree(packagesOf(packages), metadata.map(parseRelativePath))

    expect(Object.fromEntries(layout.links)).toEqual(links)
    expect(layout.direct).toEqual(direct)
    expect([...layout.shelved.values()].flat().length + layout.direct.length).toBe(packages.length)
  })

  it.each([
    [['a/b=a', 'a=a'], []],
    [['a/b=a'], ['a']],
    [['a=a'], ['a/b']],
  ])('refuses %j beside %j: a path is a file or a folder', (packages, metadata) => {
    expect(() => layOutTree(packagesOf(packages), metadata.map(parseRelativePath))).toThrow(
      'both a file and a folder: a',
    )
  })
})

function packagesOf(list: readonly string[]): Map<RelativePath, { repository: RepositoryId }> {
  return new Map(
    list.map((each) => {
      const [path = '', repository = ''] = each.split('=')
      return [parseRelativePath(path), { repository: repository as RepositoryId }]
    }),
  )
}
