import fs from 'node:fs/promises'
import { syncBuiltinESMExports } from 'node:module'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { otherDisk } from '../../tests/support/other-disk.ts'
import { placeFile } from './place-file.ts'

const refused = (code: string) => Object.assign(new Error(`${code}: refused`), { code })

async function sourceAndTarget(folder = tmpdir()) {
  const source = path.join(await fs.mkdtemp(path.join(tmpdir(), 'chantal-place-')), 'source')
  const target = path.join(await fs.mkdtemp(path.join(folder, 'chantal-place-')), 'target')
  await fs.writeFile(source, 'a package', { mode: 0o444 })
  return { source, target }
}

async function expectCopy(source: string, target: string): Promise<void> {
  expect(await fs.readFile(target, 'utf8')).toBe('a package')
  const [one, other] = [await fs.stat(source), await fs.stat(target)]
  expect([one.nlink, other.nlink, other.mode & 0o777]).toEqual([1, 1, 0o444])
  expect(await fs.readdir(path.dirname(target))).toEqual(['target'])
}

describe('placing a file', () => {
  afterEach(() => {
    vi.restoreAllMocks()
    syncBuiltinESMExports()
  })

  it.each([
    ['EXDEV', 'once'],
    ['EMLINK', 'once'],
    ['EPERM', 'always'],
    ['ENOTSUP', 'always'],
  ])('copies it where a link is refused with %s, %s', async (code, how) => {
    const { source, target } = await sourceAndTarget()
    const link = vi.spyOn(fs, 'link')
    if (how === 'once') link.mockRejectedValueOnce(refused(code))
    else link.mockRejectedValue(refused(code))
    syncBuiltinESMExports()

    const method = await placeFile(source, target)

    expect(['reflink', 'copy']).toContain(method)
    await expectCopy(source, target)
    await expect(placeFile(source, target)).rejects.toMatchObject({ code: 'ALREADY_EXISTS' })
  })

  it('says what else the disk refused, and leaves nothing', async () => {
    const { source, target } = await sourceAndTarget()
    vi.spyOn(fs, 'link').mockRejectedValue(refused('EROFS'))
    syncBuiltinESMExports()

    await expect(placeFile(source, target)).rejects.toMatchObject({ code: 'NOT_WRITABLE' })

    expect(await fs.readdir(path.dirname(target))).toEqual([])
  })

  it('copies it to another disk', async ({ skip }) => {
    const disk = await otherDisk()
    if (disk === null) return skip('there is no other disk')
    const { source, target } = await sourceAndTarget(disk)

    try {
      expect(await placeFile(source, target)).toBe('copy')
      await expectCopy(source, target)
    } finally {
      await fs.rm(path.dirname(target), { recursive: true })
    }
  })
})
