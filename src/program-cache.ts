import {
  closeSync,
  constants,
  fstatSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { Script } from 'node:vm'
import { crc32 } from 'node:zlib'

/*
 * A script, and what V8 compiled of it in an earlier process. Node's own cache keeps what is compiled while a module loads; a command that is
 * over after a tenth of a second compiles a third of its time, nearly all of it functions that are called later. Those are in this one.
 */

export interface LoadedScript {
  readonly exports: Readonly<Record<string, unknown>>
  /**
   * Keeps what has been compiled so far for processes to come, where nothing of that kind was found. V8 takes it under the flags that are set now
   * alone. A cache is no more than that: whatever stands in the way is no error.
   */
  save(): void
}

/**
 * Runs a script, one function expression with the parameters of a CommonJS module. It cannot `import`.
 * @param file an absolute path; other content has another name
 * @param cacheFile where what was compiled is kept; `null` for nowhere
 * @throws what the script throws
 */
export function loadScript(file: string, cacheFile: string | null): LoadedScript {
  const cachedData = cacheFile === null ? null : undamaged(readOwn(cacheFile))
  const script = new Script(readFileSync(file, 'latin1'), {
    filename: file,
    ...(cachedData && { cachedData }),
  })
  const isFound = cachedData !== null && script.cachedDataRejected === false
  const loaded = { exports: {} }
  script.runInThisContext()(loaded.exports, createRequire(file), loaded, file, path.dirname(file))
  let isSaved = isFound || cacheFile === null
  return {
    get exports() {
      return loaded.exports
    },
    save() {
      if (isSaved || cacheFile === null) return
      isSaved = true
      try {
        const compiled = script.createCachedData()
        writeOwn(cacheFile, Buffer.concat([Buffer.from(checksum(compiled)), compiled]))
        removeOld(cacheFile)
      } catch {
        // The next process compiles, as this one did.
      }
    },
  }
}

/**
 * A name for what one command compiles: of each a file, since most need a fraction of the program.
 * @param program the name of the script
 * @param node its version and architecture: V8 takes nothing of another one, and both may be used in turns
 * @param words of the command line
 */
export function cacheName(program: string, node: string, words: readonly string[]): string {
  const isHelp = words.some((word) => word === '--help' || word === '-h')
  const command = isHelp ? ['help'] : words.filter((word) => /^[a-z][a-z-]*$/.test(word)).slice(0, 2)
  return [prefix + path.basename(program, '.cjs'), ...command, node].join('.')
}

const prefix = 'chantal-'
/** Caches of other versions that nobody has written for so long are taken for forgotten. */
const forgottenMs = 30 * 24 * 60 * 60 * 1000

/** `null` where it is not there, or others than this user could have written it: V8 runs what it holds. */
function readOwn(file: string): Buffer | null {
  let descriptor: number
  try {
    descriptor = openSync(file, constants.O_RDONLY | constants.O_NOFOLLOW)
  } catch {
    return null
  }
  try {
    const { uid, mode } = fstatSync(descriptor)
    return uid === process.geteuid?.() && (mode & 0o022) === 0 ? readFileSync(descriptor) : null
  } catch {
    return null
  } finally {
    closeSync(descriptor)
  }
}

/** What `checksum` goes before, if it is its. V8 looks at the version and the flags alone, and what is damaged ends the process. */
function undamaged(bytes: Buffer | null): Buffer | null {
  const compiled = bytes?.subarray(checksumSize)
  return compiled && checksum(compiled) === bytes?.toString('latin1', 0, checksumSize) ? compiled : null
}

/** In as many bytes as keep what follows aligned: V8 would copy it otherwise. */
const checksumSize = 8

function checksum(compiled: Buffer): string {
  return crc32(compiled).toString(16).padStart(checksumSize, '0')
}

/** Whole or not at all: other processes may be reading it. */
function writeOwn(file: string, bytes: Uint8Array): void {
  // Not named after the version, so that what a process leaves that is killed here is removed with what is old.
  const temporary = path.join(
    path.dirname(file),
    `${prefix}temporary-${process.pid}-${Math.random().toString(36).slice(2)}`,
  )
  try {
    writeFileSync(temporary, bytes, { mode: 0o600, flag: 'wx' })
    renameSync(temporary, file)
  } catch (error) {
    rmSync(temporary, { force: true })
    throw error
  }
}

function removeOld(file: string): void {
  const folder = path.dirname(file)
  const [current] = path.basename(file).split('.')
  for (const name of readdirSync(folder)) {
    if (!name.startsWith(prefix) || name.split('.')[0] === current) continue
    const other = path.join(folder, name)
    if (Date.now() - statSync(other).mtimeMs > forgottenMs) rmSync(other, { force: true })
  }
}
