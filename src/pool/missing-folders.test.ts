import { mkdir, mkdtemp, stat, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { FilesystemPool } from './filesystem-pool.ts'
import { makeMissingFolders } from './missing-folders.ts'
import { claimPool, poolMarker } from './pool-marker.ts'

const catalog = '00000000-0000-4000-8000-000000000001'

async function blockedFolder(): Promise<string> {
  const folder = await mkdtemp(path.join(tmpdir(), 'chantal-folders-'))
  await symlink(path.join(folder, 'absent/disk'), path.join(folder, 'dangling'))
  await symlink('circle', path.join(folder, 'circle'))
  await writeFile(path.join(folder, 'file'), '')
  return folder
}

describe('making folders', () => {
  it('tells which were made, the topmost first', async () => {
    const folder = await blockedFolder()

    expect(await makeMissingFolders(path.join(folder, 'a/b'), 0o700)).toEqual([
      path.join(folder, 'a'),
      path.join(folder, 'a/b'),
    ])
    expect(await makeMissingFolders(path.join(folder, 'a/b'))).toEqual([])
    expect((await stat(path.join(folder, 'a/b'))).mode & 0o777).toBe(0o700)
  })

  it('goes through a link to a folder', async () => {
    const folder = await blockedFolder()
    await mkdir(path.join(folder, 'absent/disk'), { recursive: true })

    await makeMissingFolders(path.join(folder, 'dangling/pool'))

    expect((await stat(path.join(folder, 'absent/disk/pool'))).isDirectory()).toBe(true)
  })

  it('gives up in a folder that lets none be made', async () => {
    await expect(makeMissingFolders('/proc/absent/pool')).rejects.toMatchObject({ code: 'NOT_WRITABLE' })
  })

  it('leaves what the system refuses otherwise as it is', async () => {
    const name = 'n'.repeat(300)

    await expect(makeMissingFolders(path.join(tmpdir(), name))).rejects.toMatchObject({
      code: 'ENAMETOOLONG',
    })
  })
})

describe.each([
  ['dangling', 'is a link that leads nowhere'],
  ['dangling/pool', 'is a link that leads nowhere'],
  ['dangling/deep/pool', 'is a link that leads nowhere'],
  ['circle/pool', 'is a link that leads nowhere'],
  ['file', 'is no folder'],
  ['file/pool', 'is no folder'],
  ['file/deep/pool', 'is no folder'],
])('a pool at %s', (name, problem) => {
  it.each<[string, (root: string) => Promise<unknown>]>([
    ['made', (root) => FilesystemPool.create(root)],
    ['claimed', (root) => claimPool(root, catalog, async () => true)],
    ['adopted', (root) => poolMarker(root).adopt(catalog)],
  ])('cannot be %s', async (_, work) => {
    const folder = await blockedFolder()
    const [top = ''] = name.split('/')

    await expect(work(path.join(folder, name))).rejects.toMatchObject({
      code: 'NOT_WRITABLE',
      message: expect.stringContaining(`${path.join(folder, top)} ${problem}`),
      hint: expect.stringContaining('Is the disk mounted?'),
    })
  })
})
