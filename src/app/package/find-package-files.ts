import { createReadStream } from 'node:fs'
import { readdir, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import type { ByteSource } from '../../core/bytes.ts'
import { ChantalError, hasSystemCode } from '../../core/errors.ts'
import type { UseCase } from '../context.ts'
import { hostedRepository, uploadsOf } from './hosted-repository.ts'

/** A file that someone wants to be a package. */
export interface PackageSource {
  /** As its uploader knows it: for messages and results. */
  readonly label: string
  /** Without folders. */
  readonly name: string
  /** In bytes. */
  readonly size: number
  read(): ByteSource
}

/**
 * The package files that paths name: files themselves, and what is called like a package in folders. Each once, those of a folder in the
 * order of their names.
 * @param input.recursive also in folders within folders
 * @throws ChantalError `NOT_FOUND` for what is not there; `USAGE_INVALID` for a file that is not called like a package, and a folder
 *   without one; `NOT_WRITABLE` where it may not be read
 */
export const findPackageFiles: UseCase<
  { readonly repository: string; readonly paths: readonly string[]; readonly recursive: boolean },
  readonly PackageSource[]
> = async (context, { repository, paths, recursive }, signal) => {
  const { extensions } = uploadsOf(context, hostedRepository(context, repository))
  const isPackage = (name: string) => extensions.some((extension) => name.endsWith(extension))
  const expected = `names that end in ${extensions.join(', ')}`
  const found = new Map<string, PackageSource>()
  for (const path of paths) {
    const about = await look(path)
    if (!about.isDirectory()) {
      if (!about.isFile() || !isPackage(path)) throw notAPackage(path, expected)
      found.set(path, sourceOf(path, about.size))
      continue
    }
    let count = 0
    for await (const file of filesIn(path, recursive, signal)) {
      if (!isPackage(file)) continue
      count += 1
      found.set(file, sourceOf(file, (await look(file)).size))
    }
    if (count === 0) {
      throw new ChantalError('USAGE_INVALID', `${path} holds no package`, {
        hint: recursive
          ? `Packages have ${expected}.`
          : `Packages have ${expected}; --recursive looks in its folders too.`,
        details: { path },
      })
    }
  }
  return [...found.values()]
}

function sourceOf(path: string, size: number): PackageSource {
  return { label: path, name: basename(path), size, read: () => read(path) }
}

async function* read(path: string): ByteSource {
  try {
    yield* createReadStream(path)
  } catch (error) {
    throw explain(path, error)
  }
}

/** Links to files count as files; links to folders are not followed, which might lead in a circle. */
async function* filesIn(folder: string, recursive: boolean, signal: AbortSignal): AsyncGenerator<string> {
  signal.throwIfAborted()
  const entries = await explained(folder, () => readdir(folder, { withFileTypes: true }))
  for (const entry of entries.toSorted((a, b) => (a.name < b.name ? -1 : 1))) {
    const path = join(folder, entry.name)
    if (entry.isFile()) yield path
    else if (entry.isDirectory()) {
      if (recursive) yield* filesIn(path, recursive, signal)
    } else if (entry.isSymbolicLink() && (await look(path)).isFile()) yield path
  }
}

function look(path: string) {
  return explained(path, () => stat(path))
}

async function explained<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    throw explain(path, error)
  }
}

function explain(path: string, error: unknown): unknown {
  if (hasSystemCode(error, 'ENOENT', 'ENOTDIR'))
    return new ChantalError('NOT_FOUND', `no file or folder ${path}`, { cause: error, details: { path } })
  if (hasSystemCode(error, 'EACCES', 'EPERM'))
    return new ChantalError('NOT_WRITABLE', `${path} may not be read`, { cause: error, details: { path } })
  return error
}

function notAPackage(path: string, expected: string): ChantalError {
  return new ChantalError('USAGE_INVALID', `${path} is not called like a package`, {
    hint: `Packages have ${expected}.`,
    details: { path },
  })
}
