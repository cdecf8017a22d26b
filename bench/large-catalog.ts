import { spawnSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { fullShape, makeCatalog, makePool, repositoryId, type Shape } from './large-catalog/make-catalog.ts'
import { type Figures, measures } from './large-catalog/measures.ts'

/**
 * A catalog of 200 repositories, 10,000 snapshots and 2 million package rows, and a pool of its million blobs (files without blocks):
 * what the commands that look at all of it take. Each runs in a process of its own.
 *
 *     node bench/large-catalog.ts [--postgresql URL] [--folder DIR] [--keep] [--scale 0.01]
 */
const { values } = parseArgs({
  options: {
    postgresql: { type: 'string' },
    /** Made before and kept: measured as it is. */
    folder: { type: 'string' },
    keep: { type: 'boolean', default: false },
    scale: { type: 'string', default: '1' },
  },
})
const scale = Number(values.scale)
const shape: Shape = { ...fullShape, repositories: Math.max(2, Math.round(fullShape.repositories * scale)) }
const limits = { seconds: 60, mebibytes: 200 }

const folder = values.folder ?? mkdtempSync(path.join(tmpdir(), 'chantal-large-catalog-'))
if (values.folder === undefined) await make()
process.stdout.write('| | wall | CPU | peak memory | |\n| --- | --- | --- | --- | --- |\n')
for (const name of measures) process.stdout.write(`${line(name, measure(name))}\n`)
if (values.folder === undefined && !values.keep) rmSync(folder, { recursive: true })
else process.stdout.write(`kept in ${folder}\n`)

async function make(): Promise<void> {
  const data = path.join(folder, 'data')
  mkdirSync(data, { recursive: true })
  const repositories = Array.from({ length: shape.repositories }, (_, index) => ({
    id: repositoryId(index),
    type: 'rpm',
    feed: 'file:///nowhere/',
    ...(index < shape.filtered && { mode: 'filtered' }),
  }))
  const database = values.postgresql === undefined ? {} : { database: { url: values.postgresql } }
  const document = { storage: { base_path: 'data' }, ...database, repositories }
  writeFileSync(path.join(folder, 'config.yaml'), JSON.stringify(document))
  const started = performance.now()
  const id = await makeCatalog(
    values.postgresql === undefined
      ? { kind: 'sqlite', file: path.join(data, 'chantal.db') }
      : { kind: 'postgresql', url: new URL(values.postgresql), password: null },
    shape,
  )
  const files = makePool(path.join(data, 'pool'), id, shape)
  const seconds = ((performance.now() - started) / 1000).toFixed(0)
  process.stdout.write(`made, with ${files} blobs, in ${seconds} s\n\n`)
}

function measure(name: string): Figures {
  const program = path.join(import.meta.dirname, 'large-catalog/measures.ts')
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    // As bin/chantal.js has them, and what src/heap-growth.ts sets once a command takes long.
    [
      '--min-semi-space-size=4',
      '--max-semi-space-size=4',
      '--heap-growing-percent=60',
      program,
      name,
      folder,
    ],
    {
      encoding: 'utf8',
      maxBuffer: 1024 ** 3,
      env: { ...process.env, MALLOC_ARENA_MAX: '2', MALLOC_MMAP_THRESHOLD_: '524288' },
    },
  )
  if (status !== 0) throw new Error(`${name}: ${stderr}`)
  return JSON.parse(stdout)
}

function line(name: string, { wallS, cpuS, peakRssMiB, outcome }: Figures): string {
  const isOver = cpuS > limits.seconds || peakRssMiB > limits.mebibytes
  return `| ${name} | ${wallS.toFixed(1)} s | ${cpuS.toFixed(1)} s | ${peakRssMiB.toFixed(0)} MiB${isOver ? ' (too much)' : ''} | ${outcome} |`
}
