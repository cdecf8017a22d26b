import { randomUUID } from 'node:crypto'
import { existsSync } from 'node:fs'
import { chmod, mkdir, mkdtemp, readdir, readlink, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, describe, expect, it, vi } from 'vitest'
import { FilesystemPool } from './filesystem-pool.ts'
import { describePool } from './pool.contract.ts'
import { claimPool } from './pool-marker.ts'

const folder = () => mkdtemp(path.join(tmpdir(), 'chantal-pool-'))

describePool('FilesystemPool', async () => FilesystemPool.create(await folder()))

const umask = process.umask()
afterEach(() => process.umask(umask))

const receive = (pool: FilesystemPool, content: string) =>
  pool.receiveWhole(Buffer.from(content), { checksums: [], maxSize: 100 })

it('replaces a blob that has rotted on disk when sound bytes come by', async () => {
  const root = await folder()
  const pool = await FilesystemPool.create(root)
  const [first] = await pool.keep([receive(pool, 'sound')])
  if (!first) throw new Error('nothing kept')
  const file = path.join(root, 'sha256', first.digest.slice(0, 2), first.digest)
  await chmod(file, 0o644)
  await writeFile(file, 'rot')
  expect(await pool.check(first.digest)).toMatchObject({ state: 'corrupt', size: 3 })

  const [second] = await pool.keep([receive(pool, 'sound')])

  expect(second?.isNew).toBe(true)
  expect(await pool.check(first.digest)).toMatchObject({ state: 'sound' })
  expect((await stat(file)).mode & 0o222).toBe(0)
})

it('moves a corrupt blob out of the way', async () => {
  const root = await folder()
  const pool = await FilesystemPool.create(root)
  const [blob] = await pool.keep([receive(pool, 'sound')])
  if (!blob) throw new Error('nothing kept')

  await pool.quarantine(blob.digest)

  expect(await pool.has(blob.digest)).toBe(false)
  expect(await readdir(path.join(root, 'quarantine'))).toEqual([blob.digest])
})

it('keeps blobs readable by a web server whatever the umask', async () => {
  process.umask(0o077)
  const root = await folder()
  const pool = await FilesystemPool.create(root)

  const kept = await pool.keep([
    receive(pool, 'small'),
    await pool.receive(
      (async function* () {
        yield Buffer.from('streamed')
      })(),
      { checksums: [], maxSize: 100 },
    ),
  ])

  for (const { digest } of kept) {
    const { mode } = await stat(path.join(root, 'sha256', digest.slice(0, 2), digest))
    expect(mode & 0o777).toBe(0o444)
  }
})

it.runIf(existsSync('/proc/self/fd'))('leaves no file open that is not read, or not to its end', async () => {
  const root = await folder()
  const pool = await FilesystemPool.create(root)
  const bytes = Buffer.alloc(1_000_000)
  const [blob] = await pool.keep([pool.receiveWhole(bytes, { checksums: [], maxSize: bytes.length })])
  if (!blob) throw new Error('nothing kept')

  pool.read(blob.digest)
  for await (const _ of pool.read(blob.digest)) break
  const failing = async () => {
    for await (const _ of pool.read(blob.digest)) throw new Error('not read on')
  }
  await expect(failing()).rejects.toThrow('not read on')

  await vi.waitFor(async () => expect(await openFilesIn(root)).toEqual([]))
})

async function openFilesIn(root: string): Promise<readonly string[]> {
  const names = await readdir('/proc/self/fd')
  const files = names.map((name) => readlink(path.join('/proc/self/fd', name)).catch(() => ''))
  return (await Promise.all(files)).filter((file) => file.startsWith(root))
}

describe('the marker', () => {
  const [mine, other] = [randomUUID(), randomUUID()]
  const isNew = async () => true
  const isOld = async () => false

  it('ties a new pool to its catalog', async () => {
    const root = await folder()

    await claimPool(root, mine, isNew)

    await expect(claimPool(root, mine, isOld)).resolves.toBeUndefined()
    await expect(claimPool(root, other, isNew)).rejects.toMatchObject({ code: 'POOL_UNMARKED' })
  })

  it('is not written where the catalog knows blobs: the disk may not be mounted', async () => {
    const root = await folder()
    await mkdir(path.join(root, 'sha256'))

    await expect(claimPool(root, mine, isOld)).rejects.toMatchObject({ code: 'POOL_UNMARKED' })
  })
})
