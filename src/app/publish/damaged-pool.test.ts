import { chmod, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { openAptSite } from '../../../tests/support/apt-site.ts'
import { aptPrivateKeyFile, startAptUpstream } from '../../../tests/support/apt-upstream.ts'
import { documentOf, turnOneBit } from '../../../tests/support/damaged-blobs.ts'
import { startDemoUpstream } from '../../../tests/support/demo-upstream.ts'
import { openSite, readTree, type Site } from '../../../tests/support/site.ts'
import { openWorld } from '../../ecosystems/apt/view.test-support.ts'
import { resolveSource } from '../source.ts'
import { exportSource } from './export-source.ts'

const signal = new AbortController().signal

/** What an APT repository's generated tree is made of besides native records. */
const aptDocuments = [
  'InRelease',
  'Contents-amd64.gz',
  'i18n/Translation-en.xz',
  'dep11/Components-amd64.yml.gz',
  'dep11/icons-48x48.tar.gz',
  'cnf/Commands-amd64.xz',
]
/** As {@link aptDocuments}. */
const rpmDocuments = ['repomd.xml', 'comps.xml', 'modules.yaml.gz', 'updateinfo.xml.gz']

async function openApt() {
  const upstream = await startAptUpstream()
  const site = await openAptSite(upstream.url)
  await site.sync('filtered')
  return { site, upstream, id: 'filtered' }
}

async function openRpm() {
  const upstream = await startDemoUpstream()
  const site = await openSite({
    repositories: [{ id: 'demo', type: 'rpm', feed: upstream.url, mode: 'filtered' }],
    sections: { signing: { key_file: 'key.asc' } },
    files: { 'key.asc': await readFile(aptPrivateKeyFile('other'), 'utf8') },
  })
  await site.sync('demo')
  return { site, upstream, id: 'demo' }
}

const damages: readonly ((bytes: Buffer) => Uint8Array)[] = [
  // Cut off.
  (bytes) => bytes.subarray(0, bytes.length - 9),
  // A bit that turned over.
  (bytes) => bytes.map((byte, at) => (at === 12 ? byte ^ 1 : byte)),
  // Readable, and something else.
  () => gzipSync('usr/bin/other  misc/other\n'),
]

describe.each([
  ['APT', openApt, aptDocuments],
  ['RPM', openRpm, rpmDocuments],
] as const)('publishing %s, and exporting it,', (_, open, documents) => {
  const exportTo = (site: Site, source: string) =>
    exportSource(site.context, { source, target: path.join(site.folder, 'export') }, signal)

  it.each(documents)('says that %s is damaged in the pool, and shows nothing of it', async (name) => {
    const { site, upstream, id } = await open()
    await using _site = site
    await using _upstream = upstream
    await site.publish(id)
    const shown = await readTree(site.published(`repositories/${id}/latest`))
    const { blob, digest, file } = await documentOf(site, id, name)
    const sound = await readFile(blob)
    await chmod(blob, 0o644)

    for (const damage of damages) {
      await writeFile(blob, damage(sound))
      const corrupt = {
        code: 'BLOB_CORRUPT',
        message: expect.stringContaining(`${file}: damaged in the pool: expected sha256 ${digest}, got `),
        hint: expect.stringContaining('chantal pool verify --repair'),
        details: { digest, path: file },
      }
      await expect(site.publish(id, { force: true })).rejects.toMatchObject(corrupt)
      await expect(exportTo(site, id)).rejects.toMatchObject(corrupt)
    }

    expect(await readTree(site.published(`repositories/${id}/latest`))).toEqual(shown)
    expect(await readdir(site.folder)).not.toContain('export')
  })

  it.each(documents)('says that %s is not in the pool', async (name) => {
    const { site, upstream, id } = await open()
    await using _site = site
    await using _upstream = upstream
    const { blob, digest, file } = await documentOf(site, id, name)

    await rm(blob)

    const missing = {
      code: 'BLOB_MISSING',
      message: `${file}: not in the pool: ${digest}`,
      hint: expect.stringContaining('chantal pool verify --repair'),
      details: { digest, path: file },
    }
    await expect(site.publish(id)).rejects.toMatchObject(missing)
    await expect(exportTo(site, id)).rejects.toMatchObject(missing)
  })
})

it('says of what a view is made of that it is not in the pool', async () => {
  await using world = await openWorld(['base', 'more'])
  const { site } = world
  const { blob, file } = await documentOf(site, 'more', 'Contents-amd64.gz')

  await rm(blob)

  // Documents of several members are opened before the first is read, and their bytes merged.
  await expect(site.publish('all')).rejects.toMatchObject({ code: 'BLOB_MISSING', details: { path: file } })
})

describe('what a tree has of the pool as it is', () => {
  it.each(['InRelease', 'Packages.gz'])(
    'is compared before anybody sees it: %s of a mirror',
    async (name) => {
      await using upstream = await startAptUpstream()
      await using site = await openAptSite(upstream.url)
      await site.sync('mirror')
      const { blob, digest, file } = await documentOf(site, 'mirror', name)

      await turnOneBit(blob)

      const corrupt = { code: 'BLOB_CORRUPT', details: { digest, path: file } }
      await expect(site.publish('mirror')).rejects.toMatchObject(corrupt)
      expect(await readdir(site.folder)).not.toContain('published')
    },
  )

  it('is compared in an export, packages too', async () => {
    const { site, upstream, id } = await openRpm()
    await using _site = site
    await using _upstream = upstream
    const { digest, path: file } = await firstPackageOf(site, id)
    await turnOneBit(path.join(site.context.settings.storage.poolPath, 'sha256', digest.slice(0, 2), digest))

    const target = path.join(site.folder, 'export')
    const exported = exportSource(site.context, { source: id, target }, signal)

    await expect(exported).rejects.toMatchObject({ code: 'BLOB_CORRUPT', details: { digest, path: file } })
    expect(await readdir(site.folder)).not.toContain('export')
  })
})

async function firstPackageOf({ context }: Site, id: string) {
  return context.catalog.read(async (reader) => {
    const { revisions } = await resolveSource(reader, context.settings, id)
    for await (const [first] of reader.packageFiles(revisions[0])) if (first) return first
    throw new Error(`${id} has no packages`)
  })
}
