import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { readAptTree } from './apt-tree.ts'

const fixtures = 'tests/fixtures/apt'

describe('reading a tree as a client', () => {
  let folder: string
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'chantal-apt-tree-'))
    await cp(join(fixtures, 'v1'), folder, { recursive: true })
  })
  afterEach(() => rm(folder, { recursive: true, force: true }))

  it.each([
    ['v1', 'stable', 9, 27],
    ['v2', 'stable', 9, 28],
    ['v1', 'stable-updates', 4, 6],
    ['v1', 'old/updates', 1, 1],
    ['v1', 'flat/', 1, 2],
  ])('finds nothing wrong with the test upstream: %s, %s', async (state, suite, indexes, files) => {
    const top = join(fixtures, state)

    const tree = await readAptTree(
      suite === 'flat/' ? join(top, 'flat') : top,
      suite === 'flat/' ? './' : suite,
    )

    expect(tree.trouble).toEqual([])
    expect([...tree.indexes.keys()].filter((name) => /(Packages|Sources)$/.test(name))).toHaveLength(indexes)
    expect(tree.pool.size).toBe(files)
  })

  it.each([
    [
      'a package is gone',
      'pool/main/a/apt/apt_1.0_amd64.deb',
      null,
      '404: pool/main/a/apt/apt_1.0_amd64.deb',
    ],
    [
      'a file of a source differs',
      'pool/main/g/greeter/greeter_1.0.orig.tar.xz',
      'x',
      'wrong bytes: pool/main/g/greeter/greeter_1.0.orig.tar.xz',
    ],
    ['Release is another', 'dists/stable/Release', 'x', 'Release is not InRelease'],
    ['an index differs', 'dists/stable/main/cnf/Commands-amd64.xz', null, null],
  ])('sees that %s', async (_, file, content, expected) => {
    await rm(join(folder, file))
    if (content !== null) await writeFile(join(folder, file), content)

    const { trouble } = await readAptTree(folder, 'stable')

    expect(trouble).toEqual(expected === null ? [] : [expected])
  })

  it('sees that an index is in no form, and that one has no copy by its checksum', async () => {
    await rm(join(folder, 'dists/stable/main/binary-i386'), { recursive: true })
    await rm(join(folder, 'dists/stable/contrib/source/by-hash'), { recursive: true })

    const { trouble } = await readAptTree(folder, 'stable')

    expect(trouble).toEqual([
      expect.stringContaining('404: dists/stable/contrib/source/by-hash/SHA256/'),
      expect.stringContaining('404: dists/stable/contrib/source/by-hash/SHA256/'),
      'no main/binary-i386/Packages in any form',
    ])
  })
})
