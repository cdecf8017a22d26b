import { expect, it } from 'vitest'
import { RunBuffers } from './run-buffers.ts'
import { runsAhead } from './run-compression.ts'

const textOf = (run: ReturnType<RunBuffers['take']>) =>
  Buffer.from(run instanceof Uint8Array ? run : run.bytes).toString()

it('keeps a run until as many more were taken as are compressed at a time', () => {
  const buffers = new RunBuffers()
  const runs = Array.from({ length: runsAhead + 1 }, (_, index) => {
    buffers.add(Buffer.from(`run ${index}`), 0x0a, null)
    return buffers.take()
  })

  expect(runs.map(textOf)).toEqual(runs.map((_, index) => `run ${index}\n`))
})

it('takes entries of any size, and counts them', () => {
  const buffers = new RunBuffers()
  const entries = [10, 262_133, 0, 3_000_000, 1].map((size, index) => String(index).repeat(size))

  for (const entry of entries) buffers.add(Buffer.from(entry), 0x0a, null)

  expect([buffers.length, buffers.size]).toEqual([5, entries.join('').length + 5])
  expect(textOf(buffers.take()) === entries.map((entry) => `${entry}\n`).join('')).toBe(true)
  expect([buffers.length, buffers.size]).toEqual([0, 0])
})

it('says what a run was made from where that is known of each entry', () => {
  const buffers = new RunBuffers()
  const take = (...origins: readonly (string | null)[]) => {
    for (const origin of origins) buffers.add(Buffer.from('x'), 0x0a, origin)
    return buffers.take()
  }

  expect(take('one', 'two')).toEqual({ bytes: Buffer.from('x\nx\n'), origin: 'one\ntwo\n' })
  expect(take('one', null, 'two')).toEqual(Buffer.from('x\nx\nx\n'))
  expect(take('three')).toMatchObject({ origin: 'three\n' })
})
