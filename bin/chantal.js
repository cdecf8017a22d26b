#!/usr/bin/env -S MALLOC_ARENA_MAX=2 MALLOC_MMAP_THRESHOLD_=524288 node --min-semi-space-size=4 --max-semi-space-size=4
// Old versions of Node must be able to read this file, or they could not say that they are too old.
// The options: young objects have 4 MiB at most, which keeps a sync of a large repository below half the memory, and at once, which spares a
// short command half of its collections. The variables are the C library's: what is freed is not kept once for each thread, and large blocks
// go back at once, a twentieth each. Set later they have no effect. Most other options of V8 would have it refuse what it compiled before.
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
module.createRequire(import.meta.url)('../dist/start.cjs')
