import { getCompileCacheDir } from 'node:module'
import path from 'node:path'
import { cacheName, loadScript } from './program-cache.ts'

// What bin/chantal.js starts: the built program, with what V8 compiled of it before.

/** The name of the script beside this one, by scripts/build.js. It changes with every byte of it. */
declare const PROGRAM_FILE: string

/** Where Node keeps what it compiled; nowhere if the user wants none (NODE_DISABLE_COMPILE_CACHE). */
const folder = getCompileCacheDir() ?? null
const { exports, save } = loadScript(
  path.join(import.meta.dirname, PROGRAM_FILE),
  folder && path.join(folder, cacheName(PROGRAM_FILE, process.argv.slice(2))),
)
const { beforeHeapIsBounded } = exports as typeof import('./main.ts')
beforeHeapIsBounded(save)
process.once('exit', (status) => {
  if (status === 0) save()
})
