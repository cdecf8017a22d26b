import { hostname, userInfo } from 'node:os'
import path from 'node:path'
import type { AppContext } from './app/context.ts'
import type { Moment } from './app/moments.ts'
import type { Catalog } from './catalog/catalog.ts'
import { openCatalog } from './catalog/open-catalog.ts'
import { assertUsable } from './config/access.ts'
import type { RepositorySettings, Settings, SigningOwner } from './config/settings.ts'
import { isChantalError } from './core/errors.ts'
import type { Reporter } from './core/events.ts'
import { createDownloader } from './download/http-downloader.ts'
import { type Wait, waitByTimer } from './download/retry.ts'
import { startThread } from './download/thread/start-thread.ts'
import { ecosystems } from './ecosystems/registry.ts'
import { expectGarbage } from './heap-growth.ts'
import { AbsentPool } from './pool/absent-pool.ts'
import { FilesystemPool } from './pool/filesystem-pool.ts'
import type { Pool } from './pool/pool.ts'
import { claimPool, poolMarker } from './pool/pool-marker.ts'
import { openPublications } from './publish/directory-publications.ts'
import type { Checkpoint } from './publish/directory-stage.ts'
import {
  openOpenPgpSigner,
  openOpenPgpVerifier,
  openPackageVerifier,
  openSignatureFinder,
} from './sign/openpgp.ts'

export interface Surroundings {
  readonly reporter: Reporter
  readonly now: () => Date
  readonly version: string
  /** Who runs this. Default: the process's user at its host. */
  readonly user?: string | undefined
  /**
   * `catalog`: a pool that cannot be used is an error only once it is used. `adoption`: a pool that is not this catalog's is opened all the
   * same. Default: everything.
   */
  readonly needs?: 'everything' | 'catalog' | 'adoption' | undefined
  /** How anybody waits who does so by the clock. Default: by a timer. */
  readonly wait?: Wait | undefined
  /** See {@link AppContext.reached}; also told of the moments of a publication's switch. */
  readonly reached?: ((moment: Moment | Checkpoint) => void) | undefined
}

/**
 * Opens the real parts and wires them. Disposing of the result closes them.
 * @throws ChantalError `CATALOG_UNAVAILABLE`, `CATALOG_TOO_NEW`, `POOL_UNMARKED`, `NOT_WRITABLE`, `DISK_FULL`
 */
export async function openContext(
  settings: Settings,
  { reporter, now, version, user, wait = waitByTimer, reached, needs = 'everything' }: Surroundings,
): Promise<AppContext & AsyncDisposable> {
  await using opened = new AsyncDisposableStack()
  const catalog = opened.use(await openCatalog({ url: settings.database, now }))
  const { poolPath, publishedPath } = settings.storage
  const pool = await openPool(poolPath, catalog, needs)
  const { concurrency, perHost, bandwidth } = settings.download
  const userAgent = `Chantal/${version}`
  const downloader = opened.use(
    createDownloader({
      pool,
      concurrency,
      perHost,
      bandwidth,
      reporter,
      userAgent,
      maxListSize: settings.limits.rootDocument,
      wait,
      thread: { start: () => startThread(threadFile, { poolPath, concurrency, userAgent }) },
    }),
  )
  const publications = await openPublications({
    root: publishedPath,
    pool,
    graceMs: settings.publish.graceMs,
    lockShelf: (repository) =>
      catalog.acquire({
        resource: `shelf:${repository}`,
        mode: 'exclusive',
        purpose: `change the shelf of ${repository}`,
        waitMs: 600_000,
        signal: new AbortController().signal,
      }),
    ...(reached && { checkpoint: reached }),
  })
  const closing = opened.move()
  return {
    settings,
    ecosystems,
    catalog,
    pool,
    poolMarker: poolMarker(poolPath),
    downloader,
    publications,
    reporter,
    verifierOf: perOwner(async ({ verify }: RepositorySettings) => {
      if (verify.metadata === 'off' || verify.keys.length === 0) return null
      return openOpenPgpVerifier({ keys: verify.keys, fingerprints: verify.fingerprints, now })
    }),
    packageVerifierOf: perOwner(async ({ mode, verify }: RepositorySettings) => {
      const { packages, keys, fingerprints, weakDigests } = verify
      // Of what is uploaded nobody else tells where it is from.
      if (mode === 'hosted' && keys.length === 0) return openSignatureFinder({ now })
      if (packages === 'off' || keys.length === 0) return null
      return openPackageVerifier({ keys, fingerprints, weakDigests, now })
    }),
    signerOf: perOwner(async ({ signing }: SigningOwner) => signing && openOpenPgpSigner(signing)),
    user: user ?? processUser(),
    now,
    wait,
    expectGarbage,
    reached,
    [Symbol.asyncDispose]: () => closing.disposeAsync(),
  }
}

/** Beside this file, in the sources as in the built program. */
const threadFile = path.join(
  import.meta.dirname,
  import.meta.filename.endsWith('.ts') ? 'download-thread.ts' : 'download-thread.cjs',
)

/** `alice@mirror1`; in a container the user may have a number alone. */
function processUser(): string {
  const name = () => {
    try {
      return userInfo().username
    } catch {
      return String(process.getuid?.() ?? 'unknown')
    }
  }
  return `${name()}@${hostname()}`
}

async function openPool(
  root: string,
  catalog: Catalog,
  needs: NonNullable<Surroundings['needs']>,
): Promise<Pool> {
  if (needs === 'adoption') return FilesystemPool.at(root)
  try {
    await claimPool(root, catalog.id, () => knowsNoBlob(catalog))
    return await FilesystemPool.create(root)
  } catch (error) {
    if (needs === 'catalog' && isChantalError(error)) return new AbsentPool(error)
    throw error
  }
}

async function knowsNoBlob(catalog: Catalog): Promise<boolean> {
  return catalog.read(async (reader) => {
    for await (const _ of reader.blobs()) return false
    return true
  })
}

/** Opening a key takes a while: once for each repository or view is enough. */
function perOwner<Owner extends Parameters<typeof assertUsable>[0], Opened>(
  open: (owner: Owner) => Promise<Opened>,
) {
  const opened = new Map<Owner, Promise<Opened>>()
  return (owner: Owner): Promise<Opened> => {
    assertUsable(owner)
    const known = opened.get(owner) ?? open(owner)
    opened.set(owner, known)
    return known
  }
}
