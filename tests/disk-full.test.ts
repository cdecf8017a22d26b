import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { findPackageFiles } from '../src/app/package/find-package-files.ts'
import { uploadPackages } from '../src/app/package/upload-packages.ts'
import type { Catalog } from '../src/catalog/catalog.ts'
import { openDatabase } from '../src/catalog/catalog-database.ts'
import { openCatalog } from '../src/catalog/open-catalog.ts'
import { brokenInvariants } from './crash/invariants.ts'
import { showDemo, startDemoUpstream } from './support/demo-upstream.ts'
import { openSite, readTree, type Site } from './support/site.ts'

const latest = 'repositories/demo/latest'

/** Why no small disk can be had here; `null` where it can. */
function whyNoDisk(): string | null {
  const folder = path.join('/tmp', `chantal-disk-${process.pid}`)
  try {
    mkdirSync(folder)
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', folder], { stdio: 'pipe' })
    execFileSync('umount', [folder])
    return null
  } catch {
    return 'mounting a tmpfs needs root'
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const missing = whyNoDisk()

describe.skipIf(missing !== null)(`a disk that is full${missing === null ? '' : ` (${missing})`}`, () => {
  it.each([
    ['under the pool', 'pool'],
    ['under what is published', 'published'],
  ])('%s is reported, loses nothing, and heals', async (_title, full) => {
    await using upstream = await startDemoUpstream()
    await using disk = new SmallDisk()
    const folders = { pool: 'data/pool', published: 'data/published', [full]: disk.folder }
    await using site = await openSite({
      repositories: [{ id: 'demo', type: 'rpm', feed: upstream.url }],
      sections: {
        storage: { base_path: 'data', pool_path: folders.pool, published_path: folders.published },
      },
    })
    await site.sync('demo')
    await site.publish('demo')
    const before = await readTree(site.published(latest))
    showDemo(upstream, 'v2')
    disk.fill()

    const error = await syncAndPublish(site)

    expect(error).toMatchObject({ code: 'DISK_FULL', traits: { exit: 70 } })
    expect(await readTree(site.published(latest))).toEqual(before)
    disk.empty()
    expect(await brokenInvariants(site)).toEqual([])
    expect(await syncAndPublish(site)).toBeNull()
    expect(await brokenInvariants(site)).toEqual([])
    expect(Object.fromEntries(await readTree(site.published(latest)))).toMatchObject(
      Object.fromEntries(await readTree('assets/demo/v2')),
    )
  })
})

describe.skipIf(missing !== null)(
  `a full disk that holds the catalog${missing === null ? '' : ` (${missing})`}`,
  () => {
    it('is reported by whoever opens it, and heals', async () => {
      using disk = new SmallDisk(8)
      const open = () =>
        openCatalog({
          url: { kind: 'sqlite', file: path.join(disk.folder, 'chantal.db') },
          now: () => new Date(),
        })
      const { id } = await look(open)
      disk.fill()

      await expect(open()).rejects.toMatchObject({ code: 'DISK_FULL', traits: { exit: 70 } })

      disk.empty()
      expect((await look(open)).id).toBe(id)
    })
  },
)

describe.skipIf(missing !== null)(`a backup to a full disk${missing === null ? '' : ` (${missing})`}`, () => {
  it.each([0, 1, 10])('names that disk and not the catalog, with %i blocks free', async (free) => {
    using disk = new SmallDisk()
    const folder = mkdtempSync(path.join(tmpdir(), 'chantal-catalog-'))
    const url = { kind: 'sqlite', file: path.join(folder, 'chantal.db') } as const
    const now = () => new Date()
    await look(() => openCatalog({ url, now }))
    disk.fill(free)

    const backup = openDatabase({ url, now }).backup(path.join(disk.folder, 'copy.db'), false, signal)

    await expect(backup).rejects.toMatchObject({
      code: 'DISK_FULL',
      message: expect.stringContaining(disk.folder),
    })
    await expect(backup).rejects.not.toMatchObject({ message: expect.stringContaining(folder) })
    expect(readdirSync(disk.folder)).toEqual(['filler'])
  })
})

describe.skipIf(missing !== null)(
  `an upload to a full disk${missing === null ? '' : ` (${missing})`}`,
  () => {
    it('is reported, leaves the latest revision, and succeeds once there is room', async () => {
      await using disk = new SmallDisk()
      await using site = await openSite({
        repositories: [{ id: 'demo', type: 'rpm', mode: 'hosted' }],
        sections: { storage: { base_path: 'data', pool_path: disk.folder } },
      })
      await upload(site, 'tests/fixtures/rpm/flat')
      await site.publish('demo')
      disk.fill()

      await expect(upload(site, 'assets/demo/v2/Packages')).rejects.toMatchObject({ code: 'DISK_FULL' })

      disk.empty()
      expect(await brokenInvariants(site)).toEqual([])
      expect(await site.publish('demo')).toMatchObject({ packages: 2, unchanged: true })
      await upload(site, 'assets/demo/v2/Packages')
      expect((await site.publish('demo')).packages).toBe(6)
      expect(await brokenInvariants(site)).toEqual([])
    })
  },
)

/** Opened, looked at and closed. */
async function look(open: () => Promise<Catalog>): Promise<{ readonly id: string }> {
  await using catalog = await open()
  return { id: catalog.id }
}

async function upload({ context }: Site, folder: string): Promise<void> {
  const wanted = { repository: 'demo', paths: [folder], recursive: false }
  const files = await findPackageFiles(context, wanted, signal)
  await uploadPackages(context, { ...terms, files }, signal)
}

const signal = new AbortController().signal
const terms = { repository: 'demo', suite: null, component: null, force: false }

async function syncAndPublish(site: Site): Promise<unknown> {
  try {
    await site.sync('demo')
    await site.publish('demo')
    return null
  } catch (error) {
    return error
  }
}

/** A file system of a few megabytes, which a test fills and empties. */
class SmallDisk implements Disposable {
  readonly folder = path.join('/tmp', `chantal-disk-${process.pid}`)

  constructor(megabytes = 1) {
    mkdirSync(this.folder, { recursive: true })
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m`, 'tmpfs', this.folder])
  }

  /** Leaves no more than some blocks. */
  fill(blocksLeft = 0): void {
    const { bavail, bsize } = statfsSync(this.folder)
    writeFileSync(path.join(this.folder, 'filler'), Buffer.alloc((bavail - blocksLeft) * bsize))
  }

  empty(): void {
    rmSync(path.join(this.folder, 'filler'))
  }

  [Symbol.dispose](): void {
    execFileSync('umount', ['-l', this.folder])
    rmSync(this.folder, { recursive: true, force: true })
  }
}
