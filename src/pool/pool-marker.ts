import { randomUUID } from 'node:crypto'
import * as fs from 'node:fs/promises'
import path from 'node:path'
import { ChantalError, hasSystemCode } from '../core/errors.ts'
import { flushOne } from './flush.ts'
import { makeMissingFolders } from './missing-folders.ts'
import { explainDiskError } from './system-errors.ts'

const fileName = 'chantal-pool.json'

/**
 * Makes sure that this pool belongs to this catalog: another catalog's garbage collection would take its blobs, and an
 * empty folder where the pool should be is a disk that is not mounted.
 * @param isNewCatalog whether the catalog knows no blob yet: only then may the marker be written. Asked where there is none
 * @throws ChantalError `POOL_UNMARKED`
 */
export async function claimPool(
  root: string,
  catalog: string,
  isNewCatalog: () => Promise<boolean>,
): Promise<void> {
  const marker = await readMarker(root)
  if (marker === catalog) return
  if (marker === null && (await isNewCatalog())) {
    if (!(await holdsBlobs(root))) return writeMarker(root, catalog)
    throw new ChantalError('POOL_UNMARKED', `${root} holds blobs, and no marker says whose they are`, {
      hint: 'Correct storage.pool_path or database.url; or run `chantal pool adopt`, and garbage collection takes what this catalog does not know.',
      details: { pool: root, catalog },
    })
  }
  if (marker === null) {
    throw new ChantalError(
      'POOL_UNMARKED',
      `${path.join(root, fileName)} is missing, but the catalog knows blobs of this pool`,
      {
        hint: 'Mount the disk that holds the pool, or correct storage.pool_path. If the marker alone is lost: `chantal pool adopt`.',
        details: { pool: root, catalog },
      },
    )
  }
  throw new ChantalError(
    'POOL_UNMARKED',
    `the pool at ${root} belongs to another catalog (${marker}, not ${catalog})`,
    {
      hint: 'Correct storage.pool_path or database.url: two catalogs cannot share one pool. If the other one is no more: `chantal pool adopt`.',
      details: { pool: root, catalog, found: marker },
    },
  )
}

/**
 * Gives a pool that is this catalog's, or nobody's yet, to the catalog that takes its place. Comes before the catalog takes the other id:
 * whoever is interrupted in between can do the same again.
 * @throws ChantalError `POOL_UNMARKED` where it is a third one's
 */
export async function handOverPool(root: string, from: string, to: string): Promise<void> {
  const marker = await readMarker(root)
  if (marker === to) return
  if (marker === null) return writeMarker(root, to)
  if (marker !== from) return claimPool(root, to, async () => false)
  await replaceMarker(root, to)
}

/** Who a pool belongs to, and the word that changes it. */
export interface PoolMarker {
  /** The catalog's id; `null` where there is no marker, `unreadable` where it says nothing. */
  owner(): Promise<string | null>
  /** Makes the pool this catalog's, whoever had it. @throws ChantalError `NOT_WRITABLE`, `DISK_FULL` */
  adopt(catalog: string): Promise<void>
}

/** Of the pool at `root`, which need not be there. */
export function poolMarker(root: string): PoolMarker {
  return {
    owner: () => readMarker(root),
    adopt: (catalog) => replaceMarker(root, catalog),
  }
}

async function replaceMarker(root: string, catalog: string): Promise<void> {
  const target = path.join(root, fileName)
  const temporary = `${target}.${randomUUID()}`
  try {
    await makeMissingFolders(root)
    await fs.writeFile(temporary, markerText(catalog), { flag: 'wx', flush: true })
    await fs.rename(temporary, target)
    await flushOne(root)
  } catch (error) {
    // Where the folder could not be made, neither can this be removed.
    await fs.rm(temporary, { force: true }).catch(() => {})
    throw explainDiskError(error, target)
  }
}

async function holdsBlobs(root: string): Promise<boolean> {
  const blobs = path.join(root, 'sha256')
  for (const shard of await namesIn(blobs)) {
    if ((await namesIn(path.join(blobs, shard))).length > 0) return true
  }
  return false
}

async function namesIn(folder: string): Promise<readonly string[]> {
  return fs.readdir(folder).catch((error: unknown) => {
    // Whoever makes the folder says what is in its way.
    if (hasSystemCode(error, 'ENOENT', 'ENOTDIR', 'ELOOP')) return []
    throw explainDiskError(error, folder)
  })
}

async function readMarker(root: string): Promise<string | null> {
  const text = await fs.readFile(path.join(root, fileName), 'utf8').catch((error: unknown) => {
    if (hasSystemCode(error, 'ENOENT', 'ENOTDIR', 'ELOOP')) return null
    throw explainDiskError(error, root)
  })
  if (text === null) return null
  const match = /"catalog":\s*"([0-9a-f-]{36})"/.exec(text)
  return match?.[1] ?? 'unreadable'
}

async function writeMarker(root: string, catalog: string): Promise<void> {
  const target = path.join(root, fileName)
  try {
    await makeMissingFolders(root)
    await fs.writeFile(target, markerText(catalog), { flag: 'wx', flush: true })
    await flushOne(root)
  } catch (error) {
    if (hasSystemCode(error, 'EEXIST')) return claimPool(root, catalog, async () => false)
    throw explainDiskError(error, target)
  }
}

const markerText = (catalog: string) => `${JSON.stringify({ format: 1, catalog })}\n`
