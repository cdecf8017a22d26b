import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { moments } from '../../src/app/moments.ts'
import { collectGarbage } from '../../src/app/pool/collect-garbage.ts'
import { exportCatalog } from '../../src/app/transfer/export-catalog.ts'
import { writeWhole } from '../../src/app/transfer/files.ts'
import { showDemo, startDemoUpstream } from '../support/demo-upstream.ts'
import { openSite, type Site } from '../support/site.ts'
import type { Upstream } from '../upstream/upstream.ts'
import { brokenInvariants } from './invariants.ts'
import { startProcess } from './process.ts'

const signal = new AbortController().signal

/** A repository in two revisions, exported to `file`. */
async function exportTo(file: string, upstream: Upstream): Promise<void> {
  await using site = await openSite({
    repositories: [{ id: 'demo', type: 'rpm', mode: 'filtered', feed: upstream.url }],
  })
  await site.sync('demo')
  await site.snapshot('demo@before')
  showDemo(upstream, 'v2')
  await site.sync('demo')
  await exportFrom(site, file)
}

async function exportFrom(site: Site, file: string): Promise<void> {
  const write = async (bytes: AsyncIterable<Uint8Array>) => {
    await writeWhole(file, false, bytes)
  }
  await exportCatalog(site.context, { ids: ['demo'], file, as: null, write }, signal)
}

describe('an import that is killed', () => {
  it.each(moments.import)('at “%s” leaves everything sound, and the next one succeeds', async (moment) => {
    await using upstream = await startDemoUpstream()
    await using site = await openSite({
      repositories: [{ id: 'other', type: 'rpm', feed: upstream.url }],
    })
    await site.sync('other')
    const file = join(site.folder, 'demo.json')
    await exportTo(file, upstream)

    const died = await startProcess(site.folder, `import ${file}`, { moment, nth: 1 }).ended

    expect(died).toEqual({ signal: 'SIGKILL', status: null, stderr: '' })
    const isSealed = moment === 'import sealed'
    const left = await site.context.catalog.read((reader) => reader.repositories())
    expect(left.map(({ id }) => id)).toEqual(isSealed ? ['demo', 'other'] : ['other'])
    const { ended } = startProcess(site.folder, `import ${file}`)
    expect(await ended).toMatchObject({ status: 0, stderr: '' })
    const again = join(site.folder, 'again.json')
    await exportFrom(site, again)
    expect(await readText(again)).toBe(await readText(file))
    expect(await site.context.catalog.leases()).toEqual([])
  })

  it('leaves nothing that garbage collection does not remove', async () => {
    await using upstream = await startDemoUpstream()
    await using site = await openSite({
      repositories: [{ id: 'other', type: 'rpm', feed: upstream.url }],
    })
    await site.sync('other')
    const before = await site.context.catalog.read((reader) => reader.counts())
    const file = join(site.folder, 'demo.json')
    await exportTo(file, upstream)
    await startProcess(site.folder, `import ${file}`, { moment: 'rows imported', nth: 1 }).ended

    await collectGarbage(site.context, { graceMs: 0, dryRun: false }, signal)

    expect(await brokenInvariants(site)).toEqual([])
    expect(await site.context.catalog.read((reader) => reader.counts())).toEqual(before)
    expect(await site.context.catalog.read((reader) => reader.openImports())).toEqual([])
  })
})

const readText = (file: string) => readFile(file, 'utf8')
