import * as fs from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, describe, expect, it } from 'vitest'
import { linkOrCopy } from './copy-blob.ts'

const folders: string[] = []
afterEach(async () => {
  for (const folder of folders.splice(0)) await fs.rm(folder, { recursive: true })
})

async function folderOn(disk: string): Promise<string> {
  const folder = await fs.mkdtemp(path.join(disk, 'chantal-copy-'))
  folders.push(folder)
  return folder
}

describe('another name for a file', () => {
  const time = new Date('2026-11-12T10:00:00Z')
  const fileOn = async (disk: string) => {
    const source = path.join(await folderOn(disk), 'source')
    await fs.writeFile(source, 'bytes', { mode: 0o644 })
    await fs.utimes(source, time, time)
    return source
  }

  it('is the same file', async () => {
    const source = await fileOn(tmpdir())
    const target = `${source}-too`

    await linkOrCopy(source, target)

    expect((await fs.stat(target)).ino).toBe((await fs.stat(source)).ino)
  })

  it('is a copy with its time and mode on another disk', async ({ skip }) => {
    const memory = '/dev/shm'
    const device = async (folder: string) => (await fs.stat(folder).catch(() => null))?.dev ?? null
    const other = await device(memory)
    if (other === null || other === (await device(tmpdir()))) skip(`${memory} is no other disk`)
    const source = await fileOn(tmpdir())
    const target = path.join(await folderOn(memory), 'target')

    await linkOrCopy(source, target)

    const { mtime, mode } = await fs.stat(target)
    expect([await fs.readFile(target, 'utf8'), mtime, mode & 0o777]).toEqual(['bytes', time, 0o644])
  })
})
