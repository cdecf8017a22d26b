import { enableCompileCache, getCompileCacheDir } from 'node:module'
import path from 'node:path'
import { openCacheFolder } from './cache-folder.ts'
import { cacheName, loadScript } from './program-cache.ts'

// What bin/chantal.js starts: the built program, with what V8 compiled of it before.

/** The name of the script beside this one, by scripts/build.js. It changes with every byte of it. */
declare const PROGRAM_FILE: string

const folder = compiledFolder()
const { exports, save } = loadScript(
  path.join(import.meta.dirname, PROGRAM_FILE),
  folder &&
    path.join(folder, cacheName(PROGRAM_FILE, `${process.version}-${process.arch}`, process.argv.slice(2))),
)
const { beforeHeapIsBounded } = exports as typeof import('./main.ts')
beforeHeapIsBounded(save)
process.once('exit', (status) => {
  if (status === 0) save()
})

/** Where what was compiled is kept: where the user wants it, or nowhere if he wants none, else in his cache folder. */
function compiledFolder(): string | null {
  const { NODE_COMPILE_CACHE, NODE_DISABLE_COMPILE_CACHE } = process.env
  // As Node reads them: the second one turns it off even where it is empty.
  if (NODE_COMPILE_CACHE || NODE_DISABLE_COMPILE_CACHE !== undefined) return getCompileCacheDir() ?? null
  const folder = openCacheFolder(process.env, process.geteuid?.() ?? -1)
  // Node keeps packages there. It is always told where: left to itself, it runs what lies in the folder for temporary files, whoever put it there.
  if (folder !== null) enableCompileCache(folder)
  return folder
}
