import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { afterAll, describe, expect, it, onTestFailed } from 'vitest'
import { type ReaderName, readers } from './long-runs.worker.ts'

const size = 200_000

/** What regular expressions run over, and begin anew in: a rule whose time grows with the square of it takes minutes for each. */
const runs = [' ', '\t', '\r', '\n', '\r\n', '/', './', '#\r\n', '# \n', '\u2028', '\r ', ' \n']

/** A thread can be ended where a regular expression does not end. */
let worker: Worker | null = null

afterAll(() => worker?.terminate())

describe.each(Object.keys(readers) as ReaderName[])('%s', (name) => {
  it.each(runs)('ends on a long run of %j', async (unit) => {
    worker ??= new Worker(new URL('./long-runs.worker.ts', import.meta.url))
    onTestFailed(async () => {
      await worker?.terminate()
      worker = null
    })

    worker.postMessage({ name, run: unit.repeat(size / unit.length) })
    const [thrown] = await once(worker, 'message')

    expect(thrown).toEqual([])
  })
})
