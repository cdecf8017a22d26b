import { createHash, randomBytes } from 'node:crypto'
import { mkdtemp, readFile, stat } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { describe, expect, it } from 'vitest'
import type { ByteSource } from '../core/bytes.ts'
import { readWhole } from '../core/bytes.ts'
import type { Expectation } from '../core/digest.ts'
import { parseSha256 } from '../core/digest.ts'
import type { Pool } from './pool.ts'

/** What every `Pool` keeps. Each implementation's test file calls this once. */
export function describePool(name: string, open: () => Promise<Pool>): void {
  describe(`${name} keeps the Pool contract`, () => {
    it('names a blob by the SHA-256 of its bytes', async () => {
      const pool = await open()

      const blob = await store(pool, 'hello')

      expect(blob.digest).toBe(sha256('hello'))
      expect(await text(pool.read(blob.digest))).toBe('hello')
    })

    it('takes a small body in one go, as it takes a stream', async () => {
      const pool = await open()

      const [blob] = await pool.keep([pool.receiveWhole(Buffer.from('hello'), anything)])

      expect(blob).toMatchObject({ digest: sha256('hello'), size: 5, isNew: true })
    })

    it('stores equal bytes once, however many writers race', async () => {
      const pool = await open()

      const blobs = await Promise.all(Array.from({ length: 32 }, () => store(pool, 'same')))

      expect(blobs.filter((blob) => blob.isNew)).toHaveLength(1)
    })

    it.each<[string, Expectation]>([
      ['another SHA-256', { checksums: [{ algorithm: 'sha256', hex: '0'.repeat(64) }], maxSize: 1e6 }],
      ['another SHA-512', { checksums: [{ algorithm: 'sha512', hex: '0'.repeat(128) }], maxSize: 1e6 }],
      [
        'one good and one bad checksum',
        {
          checksums: [
            { algorithm: 'sha256', hex: createHash('sha256').update('hello').digest('hex') },
            { algorithm: 'md5', hex: '0'.repeat(32) },
          ],
          maxSize: 1e6,
        },
      ],
      ['fewer bytes than stated', { checksums: [], size: 6, maxSize: 1e6 }],
      ['more bytes than stated', { checksums: [], size: 4, maxSize: 1e6 }],
    ])('keeps nothing of bytes that have %s', async (_, wrong) => {
      const pool = await open()

      await expect(pool.receive(source('hello'), wrong)).rejects.toMatchObject({ code: 'CHECKSUM_MISMATCH' })
      expect(() => pool.receiveWhole(Buffer.from('hello'), wrong)).toThrowError(
        expect.objectContaining({ code: 'CHECKSUM_MISMATCH' }),
      )

      expect(await pool.has(sha256('hello'))).toBe(false)
      expect(await pool.sweepTemporary({ ms: 0 })).toBe(0)
    })

    it('holds nothing of a received blob that is not kept', async () => {
      const pool = await open()

      {
        await using blob = await pool.receive(source('hello'), anything)
        expect(await pool.has(blob.digest)).toBe(false)
      }

      expect(await pool.sweepTemporary({ ms: 0 })).toBe(0)
    })

    it('keeps what another thread received, or leaves nothing of it', async () => {
      const pool = await open()
      const [kept, dropped] = [
        await pool.receive(source('kept'), anything),
        pool.receiveWhole(Buffer.from('dropped'), anything),
      ]
      const handedOver = structuredClone([pool.handOver(kept), pool.handOver(dropped)])

      const [first, second] = handedOver.map((blob) => pool.takeOver(blob))
      if (first) await pool.keep([first])
      await second?.[Symbol.asyncDispose]()

      expect(second).toMatchObject({ digest: sha256('dropped'), size: 7 })
      expect([await pool.has(sha256('kept')), await pool.has(sha256('dropped'))]).toEqual([true, false])
      expect(await pool.sweepTemporary({ ms: 0 })).toBe(0)
    })

    it('stops reading at maxSize', async () => {
      const pool = await open()
      let served = 0
      async function* endless() {
        for (;;) {
          served += 1
          yield Buffer.alloc(1024)
        }
      }

      await expect(pool.receive(endless(), { checksums: [], maxSize: 10_000 })).rejects.toMatchObject({
        code: 'SIZE_LIMIT',
      })

      expect(served).toBeLessThanOrEqual(11)
    })

    it('passes on the source’s own error and keeps nothing', async () => {
      const pool = await open()

      await expect(pool.receive(breaking('half'), anything)).rejects.toThrow('connection reset')

      expect(await pool.sweepTemporary({ ms: 0 })).toBe(0)
    })

    it('goes on where a broken download stopped', async () => {
      const pool = await open()
      const whole = {
        checksums: [{ algorithm: 'sha256' as const, hex: sha256('half and half') }],
        maxSize: 100,
      }
      {
        await using first = await pool.openPartial('url 1')
        await expect(first?.receive(breaking('half'), 0, whole)).rejects.toThrow('connection reset')
      }

      await using second = await pool.openPartial('url 1')
      const size = second?.size
      const blob = await second?.receive(source(' and half'), 4, whole)

      expect(size).toBe(4)
      expect(blob?.digest).toBe(sha256('half and half'))
      await blob?.[Symbol.asyncDispose]()
    })

    it('forgets a partial download whose bytes turn out wrong', async () => {
      const pool = await open()
      const other = { checksums: [{ algorithm: 'sha256' as const, hex: sha256('other') }], maxSize: 100 }
      {
        await using first = await pool.openPartial('url 2')
        await expect(first?.receive(source('wrong'), 0, other)).rejects.toMatchObject({
          code: 'CHECKSUM_MISMATCH',
        })
      }

      await using second = await pool.openPartial('url 2')

      expect(second?.size).toBe(0)
    })

    it('lets one at a time have a partial download', async () => {
      const pool = await open()

      await using first = await pool.openPartial('url 3')

      expect(first).not.toBeNull()
      expect(await pool.openPartial('url 3')).toBeNull()
    })

    it('reads a range', async () => {
      const pool = await open()
      const { digest } = await store(pool, '0123456789')

      expect(await text(pool.read(digest, { start: 2, end: 5 }))).toBe('234')
      expect(await text(pool.read(digest, { start: 2, end: 2 }))).toBe('')
    })

    it('reads the head of a blob, and no more than there is', async () => {
      const pool = await open()
      const { digest } = await store(pool, '0123456789')

      const heads = [0, 4, 10, 1000].map((size) => Buffer.from(pool.readHead(digest, size)).toString())

      expect(heads).toEqual(['', '0123', '0123456789', '0123456789'])
    })

    it('says which blob is missing', async () => {
      const pool = await open()

      await expect(text(pool.read(sha256('never')))).rejects.toMatchObject({ code: 'BLOB_MISSING' })
      expect(() => pool.readHead(sha256('never'), 1)).toThrowError(
        expect.objectContaining({ code: 'BLOB_MISSING' }),
      )
      await expect(pool.place(sha256('never'), path.join(await folder(), 'never'))).rejects.toMatchObject({
        code: 'BLOB_MISSING',
      })
      expect(await pool.check(sha256('never'))).toEqual({ state: 'missing' })
    })

    it('opens a blob when its first bytes are asked for', async () => {
      const pool = await open()
      const later = pool.read(sha256('later'))
      const never = pool.read(sha256('never'))
      await setTimeout(20)

      await store(pool, 'later')

      expect(await text(later)).toBe('later')
      await expect(text(never)).rejects.toMatchObject({ code: 'BLOB_MISSING' })
    })

    it('tells while it checks how much it has read, and ends where that is refused', async () => {
      const pool = await open()
      const [blob] = await pool.keep([pool.receiveWhole(Buffer.alloc(1_000_000), anything)])
      if (!blob) throw new Error('nothing kept')
      const { digest } = blob
      const read: number[] = []

      const health = await pool.check(digest, async (bytes) => void read.push(bytes))
      const ended = pool.check(digest, () => Promise.reject(new Error('enough')))

      expect(health).toEqual({ state: 'sound', size: 1_000_000 })
      expect(read.length).toBeGreaterThan(1)
      expect(read.reduce((sum, bytes) => sum + bytes, 0)).toBe(1_000_000)
      await expect(ended).rejects.toThrow('enough')
    })

    it('places a blob at a path, and refuses a path that is taken', async () => {
      const pool = await open()
      const target = path.join(await folder(), 'b.rpm')
      const { digest } = await store(pool, 'rpm')

      await pool.place(digest, target)

      expect(await readFile(target, 'utf8')).toBe('rpm')
      expect((await stat(target)).mode & 0o777).toBe(0o444)
      await expect(pool.place(digest, target)).rejects.toMatchObject({ code: 'ALREADY_EXISTS' })
    })

    it('lists in digest order', async () => {
      const pool = await open()
      await Promise.all(Array.from({ length: 50 }, () => store(pool, randomBytes(8).toString('hex'))))

      const digests = []
      for await (const blob of pool.list()) digests.push(blob.digest)

      expect(digests).toEqual([...digests].sort())
      expect(digests).toHaveLength(50)
    })

    it('removes, and removing again is fine', async () => {
      const pool = await open()
      const { digest } = await store(pool, 'gone')

      expect(await pool.remove(digest)).toBe(4)
      expect(await pool.remove(digest)).toBe(0)
    })

    it('knows how much space is left', async () => {
      expect(await (await open()).freeSpace()).toBeGreaterThan(0)
    })
  })
}

async function store(pool: Pool, content: string) {
  const [blob] = await pool.keep([await pool.receive(source(content), anything)])
  if (!blob) throw new Error('nothing kept')
  return blob
}

const anything: Expectation = { checksums: [], maxSize: 1e6 }

const folder = () => mkdtemp(path.join(tmpdir(), 'chantal-pool-'))

function sha256(content: string) {
  return parseSha256(createHash('sha256').update(content).digest('hex'))
}

async function* source(content: string): ByteSource {
  for (const character of content) yield Buffer.from(character)
}

async function* breaking(content: string): ByteSource {
  yield Buffer.from(content)
  throw new Error('connection reset')
}

async function text(bytes: ByteSource): Promise<string> {
  return Buffer.from(await readWhole(bytes)).toString()
}
