import { stat, statfs } from 'node:fs/promises'
import path from 'node:path'
import type { DiskFacts, DoctorParts } from './app/doctor/parts.ts'
import { openDatabase } from './catalog/catalog-database.ts'
import { accessOf } from './config/access.ts'
import type { Settings } from './config/settings.ts'
import { ChantalError, hasSystemCode } from './core/errors.ts'
import type { Reporter } from './core/events.ts'
import { createDownloader } from './download/http-downloader.ts'
import { AbsentPool } from './pool/absent-pool.ts'
import { poolMarker } from './pool/pool-marker.ts'
import { readKeyFacts, readSigningKeyFacts } from './sign/openpgp.ts'

export interface DoctorSurroundings {
  readonly reporter: Reporter
  readonly now: () => Date
  readonly version: string
  /** Default: the disk that is there. */
  readonly disk?: DoctorParts['disk'] | undefined
}

/** Opens what a doctor looks at: nothing is made, and what does not work is found later. Disposing of it closes connections. */
export async function openDoctor(
  settings: Settings,
  { reporter, now, version, disk = readDisk }: DoctorSurroundings,
): Promise<DoctorParts & AsyncDisposable> {
  const { concurrency, perHost, bandwidth } = settings.download
  const downloader = createDownloader({
    pool: new AbsentPool(new ChantalError('USAGE_INVALID', 'nothing is fetched here')),
    concurrency,
    perHost,
    bandwidth,
    reporter,
    userAgent: `Chantal/${version}`,
    maxListSize: settings.limits.rootDocument,
  })
  return {
    settings,
    database: openDatabase({ url: settings.database, now }),
    poolMarker: poolMarker(settings.storage.poolPath),
    probe: async (repository, signal) => {
      const access = accessOf(repository)
      return access && downloader.probe(access, signal)
    },
    verifyKeys: async ({ verify: { keys, fingerprints } }) => {
      // Keys of another kind are their ecosystem's own.
      const openPgp = keys.filter(
        (key) => !Buffer.from(key).toString('latin1').includes('-----BEGIN PUBLIC KEY-----'),
      )
      return openPgp.length === 0 ? [] : readKeyFacts({ keys: openPgp, fingerprints, now })
    },
    signingKey: ({ key }) => readSigningKeyFacts(key),
    disk,
    now,
    [Symbol.asyncDispose]: () => downloader[Symbol.asyncDispose](),
  }
}

/** Of the folder, or of the first above it that is there. */
async function readDisk(folder: string): Promise<DiskFacts> {
  try {
    const [{ dev }, { bavail, bsize, blocks, ffree, files }] = await Promise.all([
      stat(folder),
      statfs(folder),
    ])
    return {
      device: dev,
      freeBytes: bavail * bsize,
      totalBytes: blocks * bsize,
      freeInodes: ffree,
      totalInodes: files,
    }
  } catch (error) {
    if (!hasSystemCode(error, 'ENOENT', 'ENOTDIR', 'ELOOP') || folder === path.dirname(folder)) throw error
    return readDisk(path.dirname(folder))
  }
}
