import * as fs from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { otherDisk } from '../../tests/support/other-disk.ts'
import { linkOrCopy } from './copy-blob.ts'

const time = new Date('2026-11-12T10:00:00Z')

const folderOn = (disk: string) => fs.mkdtemp(path.join(disk, 'chantal-copy-'))

async function newFile(): Promise<string> {
  const file = path.join(await folderOn(tmpdir()), 'source')
  await fs.writeFile(file, 'bytes', { mode: 0o644 })
  await fs.utimes(file, time, time)
  return file
}

describe('another name for a file', () => {
  it('is the same file', async () => {
    const source = await newFile()
    const target = `${source}-too`

    await linkOrCopy(source, target)

    expect((await fs.stat(target)).ino).toBe((await fs.stat(source)).ino)
  })

  it('is a copy with its time and mode on another disk', async ({ skip }) => {
    const disk = await otherDisk()
    if (disk === null) return skip('there is no other disk')
    const source = await newFile()
    const folder = await folderOn(disk)
    const target = path.join(folder, 'target')

    try {
      await linkOrCopy(source, target)

      const { mtime, mode } = await fs.stat(target)
      expect([await fs.readFile(target, 'utf8'), mtime, mode & 0o777]).toEqual(['bytes', time, 0o644])
    } finally {
      await fs.rm(folder, { recursive: true })
    }
  })
})
