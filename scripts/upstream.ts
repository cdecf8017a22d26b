// upstream.ts [FOLDER]   - serves a repository on this machine until it is stopped: the demonstration upstream, or FOLDER.
import { stat } from 'node:fs/promises'
import { join } from 'node:path'
import { startUpstream } from '../tests/upstream/upstream.ts'

const folder = process.argv[2] ?? join(import.meta.dirname, '..', 'assets', 'demo', 'v1')
if (!(await stat(folder).catch(() => null))?.isDirectory()) {
  console.error(`error: no such folder: ${folder}`)
  process.exit(3)
}
const upstream = await startUpstream({ folder })
console.log(`serving ${folder} at ${upstream.url}`)
console.log(`  - { id: demo, type: rpm, feed: "${upstream.url}" }`)
const stop = () => void upstream[Symbol.asyncDispose]()
process.once('SIGINT', stop)
process.once('SIGTERM', stop)
