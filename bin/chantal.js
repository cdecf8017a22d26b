#!/usr/bin/env -S MALLOC_ARENA_MAX=2 MALLOC_MMAP_THRESHOLD_=524288 node --max-semi-space-size=4
// Old versions of Node must be able to read this file, or they could not say that they are too old.
// The option keeps a sync of a large repository below half the memory. The variables are the C library's: what is freed is not kept once
// for each thread, and large blocks go back at once, a twentieth each. Set later they have no effect.
import module from 'node:module'

const [major, minor] = process.versions.node.split('.').map(Number)
if (major < 24 || (major === 24 && minor < 12)) {
  process.stderr.write(
    'error: chantal needs Node 24.12 or later; this is Node ' +
      process.versions.node +
      ' (' +
      process.execPath +
      ')\n' +
      'hint: Install a newer Node, or start it by its path: /path/to/node ' +
      process.argv[1] +
      '\n',
  )
  process.exit(2)
}
// Left to itself, V8 lets the heap of a large sync double before it collects: a quarter of the memory, for a twentieth of the time.
const v8 = await import('node:v8')
v8.setFlagsFromString('--heap-growing-percent=60')
module.enableCompileCache()
await import('../dist/main.js')
