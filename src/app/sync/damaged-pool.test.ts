import { hash } from 'node:crypto'
import { chmod, readFile, writeFile } from 'node:fs/promises'
import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { openAptSite } from '../../../tests/support/apt-site.ts'
import { startAptUpstream } from '../../../tests/support/apt-upstream.ts'
import { documentOf, turnOneBit } from '../../../tests/support/damaged-blobs.ts'
import { startDemoUpstream } from '../../../tests/support/demo-upstream.ts'
import { openSite } from '../../../tests/support/site.ts'
import { repodataFooter, repodataHeader } from '../../ecosystems/rpm/formats/repodata-document.ts'
import { verifyPool } from '../pool/verify-pool.ts'

const signal = new AbortController().signal

async function openApt() {
  const upstream = await startAptUpstream()
  return { upstream, site: await openAptSite(upstream.url), first: 'mirror', second: 'filtered' }
}

async function openRpm() {
  const upstream = await startDemoUpstream()
  const repositories = ['first', 'second'].map((id) => ({ id, type: 'rpm', feed: upstream.url }))
  return { upstream, site: await openSite({ repositories }), first: 'first', second: 'second' }
}

async function write(file: string, text: string): Promise<void> {
  await chmod(file, 0o644)
  await writeFile(file, gzipSync(text))
}

const noPackages = `${repodataHeader('primary', 0)}${repodataFooter('primary')}`

describe.each([
  ['APT', openApt, 'main/binary-amd64/Packages.gz', ''],
  ['RPM', openRpm, 'primary.xml.gz', noPackages],
] as const)('a sync of %s that has metadata in the pool', (_, open, index, nothing) => {
  it.each([
    ['a bit that turned over', turnOneBit],
    ['an index of nothing', (file: string) => write(file, nothing)],
  ])('says that it is damaged there, and nothing of upstream: %s', async (_title, damage) => {
    const { upstream, site, first, second } = await open()
    await using _site = site
    await using _upstream = upstream
    await site.sync(first)
    const { blob, digest } = await documentOf(site, first, index)
    await damage(blob)

    const result = await site.trySync(second)

    expect(result).toMatchObject({ status: 'failed', revision: null })
    expect(result.cause).toMatchObject({
      code: 'BLOB_CORRUPT',
      hint: expect.stringContaining('chantal pool verify --repair'),
      details: { digest },
    })
    await verifyPool(site.context, { repair: true, rate: null }, signal)
    expect(await site.trySync(second)).toMatchObject({ status: 'synced', revision: 1 })
  })
})

it('says so of a root document that upstream has not changed, where it is read again', async () => {
  await using upstream = await startDemoUpstream()
  const demo = { id: 'demo', type: 'rpm', feed: upstream.url }
  await using site = await openSite({ repositories: [demo] })
  await site.sync('demo')
  const { blob, file } = await documentOf(site, 'demo', 'repomd.xml')
  await turnOneBit(blob)
  await site.reopen({ repositories: [{ ...demo, mode: 'filtered' }] })

  const result = await site.trySync('demo')

  expect(result).toMatchObject({ status: 'failed', revision: 1 })
  expect(result.cause).toMatchObject({ code: 'BLOB_CORRUPT', details: { path: file } })
})

it('puts right what is damaged in the pool, where upstream sends it again', async () => {
  const { upstream, site, first } = await openApt()
  await using _site = site
  await using _upstream = upstream
  await site.sync(first)
  const { blob, digest } = await documentOf(site, first, 'InRelease')
  await turnOneBit(blob)

  expect(await site.sync(first, { force: true })).toMatchObject({ status: 'unchanged', revision: 1 })

  expect(hash('sha256', await readFile(blob))).toBe(digest)
})
