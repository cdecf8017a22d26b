import { describe, expect, it } from 'vitest'
import { compressRun, decompressRun, decompressRuns } from './run-format.ts'

const texts = ['short', 'a package '.repeat(40), '<file>/usr/share/doc</file>\n'.repeat(20_000)]

describe.each(['gzip', 'zstd'] as const)('runs in %s', (format) => {
  it('come back one by one, and several that lie one after another', async () => {
    const runs = texts.map((text) => Buffer.from(text))
    const compressed = await Promise.all(runs.map((run) => compressRun(format, run)))
    const sizes = runs.map((run, index) => ({
      size: compressed[index]?.byteLength ?? 0,
      openSize: run.byteLength,
    }))
    const together = await decompressRuns(format, Buffer.concat(compressed), sizes)
    expect(Buffer.concat(together).toString()).toBe(texts.join(''))
    for (const [index, run] of runs.entries()) {
      const one = decompressRun(format, compressed[index] ?? new Uint8Array(), run.byteLength)
      expect(Buffer.from(one).toString()).toBe(texts[index])
    }
  })

  it('are refused where they come to another size', async () => {
    const compressed = await compressRun(format, Buffer.from('seven b'))
    expect(() => decompressRun(format, compressed, 6)).toThrow()
    await expect(
      decompressRuns(format, compressed, [{ size: compressed.byteLength, openSize: 8 }]),
    ).rejects.toThrow()
  })
})

describe('a run in zstd', () => {
  // Without it, coder and decoder make tables for the largest window of their level: hundreds of times the work, for each run.
  it('is a frame that states its size and has a window as large', async () => {
    for (const text of texts) {
      const frame = Buffer.from(await compressRun('zstd', Buffer.from(text)))
      expect(frame.readUInt32LE(0)).toBe(0xfd2fb528)
      const isSingleSegment = (frame.readUInt8(4) & 0x20) !== 0
      expect(isSingleSegment).toBe(true)
    }
  })
})
