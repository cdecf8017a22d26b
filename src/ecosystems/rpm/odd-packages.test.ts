import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { bodyOf, entryOf, type OddPackage, rpmFiles } from '../../../tests/support/rpm-files.ts'
import { readRpmTree } from '../../../tests/support/rpm-tree.ts'
import { filesBelow, openSite, type Site } from '../../../tests/support/site.ts'
import { startUpstream } from '../../../tests/upstream/upstream.ts'
import { repomdPath } from './metadata.ts'

const latest = 'repositories/odd/latest'
const modes = ['mirror', 'filtered'] as const

/** Synced and published from an upstream that is gone since. */
async function publishedSite(
  files: Record<string, Uint8Array>,
  more: Readonly<Record<string, unknown>> = {},
): Promise<Site> {
  await using upstream = await startUpstream({ files })
  const site = await openSite({ repositories: [{ id: 'odd', type: 'rpm', feed: upstream.url, ...more }] })
  await site.sync('odd')
  await site.publish('odd')
  return site
}

const digestOf = (pkg: OddPackage) => createHash('sha256').update(bodyOf(pkg)).digest('hex')

describe('several packages of one name, version and architecture', () => {
  const signed: OddPackage = { name: 'oak', href: 'a/oak-1.0-1.noarch.rpm', body: 'signed' }
  const rebuilt: OddPackage = {
    name: 'oak',
    href: 'b/oak-1.0-1.noarch.rpm',
    body: 'rebuilt',
    buildTime: 1_800_000_000,
  }
  const same: OddPackage = { name: 'oak', href: 'c/oak-1.0-1.noarch.rpm', body: 'as old as the first' }

  it.each(modes)('are all kept where they lie, with a warning: %s', async (mode) => {
    await using site = await publishedSite(rpmFiles([signed, rebuilt, same]), { mode })

    const { packages } = await readRpmTree(site.published(latest))
    expect(packages.map(({ primary }) => [primary.href, primary.pkgid])).toEqual(
      [signed, rebuilt, same].map((pkg) => [pkg.href, digestOf(pkg)]),
    )
    expect(site.warnings('DUPLICATE_PACKAGE')).toEqual([
      'several files of one name, version and architecture: oak-0:1.0-1.noarch',
    ])
  })

  it.each([
    ['the newest build', [signed, rebuilt, same], rebuilt],
    [
      'of builds of one time the greater checksum',
      [signed, same],
      digestOf(signed) > digestOf(same) ? signed : same,
    ],
  ])(
    'count as one version of which one goes by that name, in whatever order they come: %s',
    async (_, packages, first) => {
      const filters = { post_processing: { only_latest_version: true } }
      const older: OddPackage = { name: 'oak', version: '0.9-7' }
      for (const order of [packages, packages.toReversed()]) {
        await using site = await publishedSite(rpmFiles([older, ...order]), { filters })

        const published = (await readRpmTree(site.published(latest))).packages
        expect(published.map(({ primary }) => primary.href)).toEqual(packages.map(({ href }) => href))
        const found = await site.context.catalog.read((reader) =>
          reader.searchPackages({ pattern: 'oak' }, 10),
        )
        const named = found.filter(({ package: { key } }) => key === 'oak-0:1.0-1.noarch')
        expect(named.map(({ package: { files } }) => files[0].path)).toEqual([first.href])
      }
    },
  )

  it.each(modes)(
    'are one where they are listed under one path: the newest build, as it is served (%s)',
    async (mode) => {
      const other = { ...rebuilt, href: signed.href ?? '' }
      for (const order of [
        [signed, other],
        [other, signed],
      ]) {
        await using site = await publishedSite(
          { ...rpmFiles(order), [other.href]: Buffer.from('rebuilt') },
          { mode },
        )

        expect(await readFile(join(site.published(latest), other.href), 'utf8')).toBe('rebuilt')
        expect(site.warnings('DUPLICATE_PACKAGE')).toEqual([`listed more than once: ${other.href}`])
      }
    },
  )

  it('may have the same bytes, and so the same pkgid', async () => {
    const twin = { ...signed, href: 'twin/oak-1.0-1.noarch.rpm' }
    await using site = await publishedSite(rpmFiles([signed, twin]), { mode: 'filtered' })

    const { packages } = await readRpmTree(site.published(latest))
    expect(packages.map(({ primary, changelogs }) => [primary.href, changelogs.length])).toEqual([
      [signed.href, 1],
      [twin.href, 1],
    ])
  })

  it('share a file name in two folders without meeting', async () => {
    const here: OddPackage = { name: 'oak', href: 'x86_64/oak.rpm' }
    const there: OddPackage = { name: 'elm', href: 'noarch/oak.rpm' }
    await using site = await publishedSite(rpmFiles([here, there]), { mode: 'filtered' })

    expect(await readFile(join(site.published(latest), 'x86_64/oak.rpm'), 'utf8')).toBe(bodyOf(here))
    expect(await readFile(join(site.published(latest), 'noarch/oak.rpm'), 'utf8')).toBe(bodyOf(there))
  })
})

describe('a package whose file', () => {
  it.each(modes)(
    'is not named after it, or holds signs that URLs know, keeps the name that it has: %s',
    async (mode) => {
      const misnamed: OddPackage = { name: 'acorn', href: 'Packages/acorn-latest.rpm' }
      const signs: OddPackage = { name: 'c++', version: '1.0~rc1^git+2-1%2B#?' }
      const packages = [misnamed, signs]
      await using site = await publishedSite(rpmFiles(packages), { mode })

      const names = ['Packages/acorn-latest.rpm', 'Packages/c++-1.0~rc1^git+2-1%2B#?.noarch.rpm']
      const tree = await readRpmTree(site.published(latest))
      expect(tree.packages.map(({ primary }) => primary.href)).toEqual(names)
      const bodies = names.map((name) => readFile(join(site.published(latest), name), 'utf8'))
      expect(await Promise.all(bodies)).toEqual(packages.map(bodyOf))
      expect(site.warnings('NAME_DIFFERS')).toEqual([
        `files are not named after their packages: ${misnamed.href}`,
      ])
    },
  )

  it.each(modes)(
    'is fetched with a token has no token in its name, nor has the metadata: %s',
    async (mode) => {
      const files = rpmFiles([{ name: 'oak' }])
      await using upstream = await startUpstream({ files })
      const feed = new URL('?s3cret-token', upstream.url)
      await using site = await openSite({ repositories: [{ id: 'odd', type: 'rpm', feed, mode }] })

      await site.sync('odd')
      await site.publish('odd')

      expect(upstream.requests.every(({ url }) => url.endsWith('?s3cret-token'))).toBe(true)
      const folder = site.published(latest)
      const names = await filesBelow(folder)
      expect(names).toContain('Packages/oak-1.0-1.noarch.rpm')
      for (const name of names) {
        const bytes = await readFile(join(folder, name))
        const text = name.endsWith('.gz') ? gunzipSync(bytes) : bytes
        expect(`${name}\n${text}`).not.toContain('s3cret')
      }
      expect(JSON.stringify(site.events)).not.toContain('s3cret')
    },
  )
})

describe('an entry of metadata', () => {
  it('is published generated byte for byte: no epoch, dependencies, its choice of files, what is written twice', async () => {
    const odd: OddPackage = {
      name: 'oak',
      epoch: null,
      requires: ['libacorn(x86-64)', 'a &amp; b', '(leaf if tree)', 'rpmlib(FileDigests)'],
      files: ['/etc/oak.conf', '/usr/bin/oak', '/usr/bin/oak', '/usr/share/oak &lt;1>'],
    }
    await using site = await publishedSite(rpmFiles([odd]), { mode: 'filtered' })

    const folder = site.published(latest)
    const { repomd, packages } = await readRpmTree(folder)
    expect(packages.map(({ nevra }) => nevra)).toEqual(['oak-0:1.0-1.noarch'])
    for (const type of ['primary', 'filelists', 'other'] as const) {
      const href = repomd.records.find((record) => record.type === type)?.href ?? ''
      const text = gunzipSync(await readFile(join(folder, href))).toString()
      expect(text).toContain(entryOf(odd, type).trimEnd())
    }
  })
})

describe('an upstream without filelists and changelogs', () => {
  it('is mirrored without, and generated with empty ones, for clients want them', async () => {
    const files = rpmFiles([{ name: 'oak' }, { name: 'elm' }], { documents: ['primary'] })

    await using mirror = await publishedSite(files, { mode: 'mirror' })
    await using generated = await publishedSite(files, { mode: 'filtered' })

    expect(await readFile(join(mirror.published(latest), repomdPath))).toEqual(files[repomdPath])
    const { repomd, packages } = await readRpmTree(generated.published(latest))
    expect(repomd.records.map(({ type }) => type)).toEqual(['primary', 'filelists', 'other'])
    expect(packages.map(({ files: list, changelogs }) => [list, changelogs])).toEqual([
      [[], []],
      [[], []],
    ])
    expect(generated.warnings('METADATA_MISSING')).toHaveLength(2)
  })
})

describe('two things at one place of a tree', () => {
  it.each(modes)('cannot be published, and it is said what to do: %s', async (mode) => {
    const files = rpmFiles([
      { name: 'oak', href: 'Packages/oak' },
      { name: 'elm', href: 'Packages/oak/elm-1.0-1.noarch.rpm' },
    ])
    await using upstream = await startUpstream({ files })
    await using site = await openSite({
      repositories: [{ id: 'odd', type: 'rpm', feed: upstream.url, mode }],
    })
    await site.sync('odd')

    await expect(site.publish('odd')).rejects.toMatchObject({
      code: 'ALREADY_EXISTS',
      message: expect.stringContaining('Packages/oak'),
      hint: expect.stringContaining('`filters`'),
    })
  })

  it.each(['repodata/repomd.xml.asc', 'repodata/repomd.xml.key', './repodata/repomd.xml', 'key.asc'])(
    'are refused when upstream is read, where it has a record at the place of its index: %s',
    async (href) => {
      const files = rpmFiles([{ name: 'oak' }])
      const repomd = Buffer.from(files[repomdPath] ?? '').toString()
      const record = `<data type="extra"><checksum type="sha256">${'0'.repeat(64)}</checksum><location href="${href}"/></data>`
      files[repomdPath] = Buffer.from(repomd.replace('</repomd>', `${record}</repomd>`))
      await using upstream = await startUpstream({ files })
      await using site = await openSite({ repositories: [{ id: 'odd', type: 'rpm', feed: upstream.url }] })

      const { status, cause } = await site.trySync('odd')

      expect(status).toBe('failed')
      expect(cause).toMatchObject({ code: 'UPSTREAM_INVALID', details: { record: 'extra' } })
    },
  )
})
