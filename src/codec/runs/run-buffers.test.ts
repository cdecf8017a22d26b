import { expect, it } from 'vitest'
import { RunBuffers, runsAhead } from './run-buffers.ts'

const lineFeed = 0x0a
const textOf = (run: Uint8Array) => Buffer.from(run).toString()

it('keeps a run until as many more were taken as are compressed at a time', () => {
  const buffers = new RunBuffers()
  const runs = Array.from({ length: runsAhead + 1 }, (_, index) => {
    buffers.add(Buffer.from(`run ${index}`))
    buffers.addByte(lineFeed)
    return buffers.take()
  })

  expect(runs.map(textOf)).toEqual(runs.map((_, index) => `run ${index}\n`))
})

it('takes entries of any size', () => {
  const buffers = new RunBuffers()
  const entries = [10, 262_133, 0, 3_000_000, 1].map((size, index) => String(index).repeat(size))

  for (const entry of entries) {
    buffers.add(Buffer.from(entry))
    buffers.addByte(lineFeed)
  }

  expect(buffers.size).toBe(entries.join('').length + 5)
  expect(textOf(buffers.take()) === entries.map((entry) => `${entry}\n`).join('')).toBe(true)
  expect(buffers.size).toBe(0)
})
