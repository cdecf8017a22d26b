import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { gunzipSync, gzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { demoFiles } from '../../../tests/support/demo-upstream.ts'
import { openSite, readTree, type Site, signingKey } from '../../../tests/support/site.ts'
import { startUpstream } from '../../../tests/upstream/upstream.ts'
import type { StoredPackage } from '../../core/model.ts'

const demoKey = await readFile('assets/demo/RPM-GPG-KEY-demo')
const { publicKey: strangersKey } = await signingKey()
const files = { 'demo.asc': demoKey, 'stranger.asc': strangersKey }

const repository = (feed: URL, verify: object) => ({ id: 'demo', type: 'rpm', feed, verify })

async function packagesOf(site: Site): Promise<readonly StoredPackage[]> {
  const { catalog } = site.context
  return catalog.read(async (reader) => {
    const latest = (await reader.repositories())[0]?.latest
    const packages: StoredPackage[] = []
    if (latest) for await (const pkg of reader.packages(latest)) packages.push(pkg)
    return packages
  })
}

const verdictsOf = async (site: Site) =>
  (await packagesOf(site)).map(({ signature }) => signature?.verdict.state ?? null)

const sha256 = (content: Uint8Array) => createHash('sha256').update(content).digest('hex')

/** The demonstration with one package changed after it was signed, and metadata that agree with the change. */
function withChangedPackage(path: string): Readonly<Record<string, Uint8Array>> {
  const files = { ...demoFiles('v1') }
  const original = files[path] ?? Buffer.alloc(0)
  const changed = Buffer.from(original)
  changed.write('Z', changed.lastIndexOf('Part of a demonstration'))
  files[path] = changed
  let repomd = Buffer.from(files['repodata/repomd.xml'] ?? []).toString()
  for (const [name, content] of Object.entries(files)) {
    if (!/-(primary|filelists|other)\.xml\.gz$/.test(name)) continue
    const before = gunzipSync(content).toString()
    const after = before.replaceAll(sha256(original), sha256(changed))
    const packed = gzipSync(after)
    delete files[name]
    files[name.replace(sha256(content), sha256(packed))] = packed
    repomd = repomd
      .replaceAll(sha256(content), sha256(packed))
      .replaceAll(sha256(Buffer.from(before)), sha256(Buffer.from(after)))
      .replace(`<size>${content.length}</size>`, `<size>${packed.length}</size>`)
  }
  files['repodata/repomd.xml'] = Buffer.from(repomd)
  return files
}

describe('signatures of packages', () => {
  it('are required as soon as there are keys, and kept with the packages', async () => {
    await using upstream = await startUpstream({ folder: 'assets/demo/v1' })
    await using site = await openSite({
      files,
      repositories: [repository(upstream.url, { keys: ['demo.asc'] })],
    })

    await site.sync('demo')

    expect((await packagesOf(site)).map(({ signature }) => signature?.verdict)).toEqual(
      Array.from({ length: 6 }, () => ({
        state: 'good',
        fingerprint: 'A5CB1D6CBAE43A1CA298D54F5BE3155C3EA9B365',
        keyId: '5BE3155C3EA9B365',
        signedAt: new Date('2026-01-05T00:00:00Z'),
      })),
    )
  })

  it('that are missing fail the sync, name the packages, and leave the last revision', async () => {
    await using upstream = await startUpstream({ folder: 'tests/fixtures/rpm/unsigned' })
    const verify = { keys: ['demo.asc'], metadata: 'off' }
    await using site = await openSite({ files, repositories: [repository(upstream.url, verify)] })

    const result = await site.trySync('demo')

    expect(result).toMatchObject({ status: 'failed', revision: null, error: { code: 'SIGNATURE_MISSING' } })
    expect(result.error?.details['packages']).toEqual([
      'Packages/demo-common-1.0-1.noarch.rpm',
      'Packages/demo-hello-1.0-1.noarch.rpm',
    ])
  })

  it('one of which is wrong fail the sync, naming that package, and publications stay', async () => {
    const path = 'Packages/demo-hello-1.0-1.noarch.rpm'
    await using upstream = await startUpstream({ files: demoFiles('v1') })
    const verify = { keys: ['demo.asc'], metadata: 'off' }
    await using site = await openSite({ files, repositories: [repository(upstream.url, verify)] })
    await site.sync('demo')
    await site.publish('demo')
    const before = await readTree(site.published('repositories/demo/latest'))
    for (const [name, content] of Object.entries(withChangedPackage(path))) upstream.put(name, content)

    const result = await site.trySync('demo')
    const again = await site.publish('demo')

    expect(result).toMatchObject({
      status: 'failed',
      error: {
        code: 'SIGNATURE_INVALID',
        message: expect.stringContaining(path),
        details: { packages: [path], reasons: [expect.stringContaining('bad signature')] },
      },
    })
    expect(again.unchanged).toBe(true)
    expect(await readTree(site.published('repositories/demo/latest'))).toEqual(before)
    expect(new Set(await verdictsOf(site))).toEqual(new Set(['good']))
  })

  it('by an unknown key fail the sync', async () => {
    await using upstream = await startUpstream({ folder: 'assets/demo/v1' })
    const verify = { keys: ['stranger.asc'], metadata: 'off' }
    await using site = await openSite({ files, repositories: [repository(upstream.url, verify)] })

    const result = await site.trySync('demo')

    expect(result.error).toMatchObject({
      code: 'SIGNATURE_INVALID',
      message: expect.stringContaining('5BE3155C3EA9B365'),
    })
  })

  it('count while an old and a new key are trusted at once', async () => {
    await using upstream = await startUpstream({ folder: 'assets/demo/v1' })
    const verify = { keys: ['stranger.asc', 'demo.asc'] }
    await using site = await openSite({ files, repositories: [repository(upstream.url, verify)] })

    await site.sync('demo')

    expect(new Set(await verdictsOf(site))).toEqual(new Set(['good']))
  })

  it('are noted with a warning where only that is asked for', async () => {
    await using upstream = await startUpstream({ folder: 'tests/fixtures/rpm/unsigned' })
    const verify = { keys: ['demo.asc'], metadata: 'off', packages: 'warn' }
    await using site = await openSite({ files, repositories: [repository(upstream.url, verify)] })

    await site.sync('demo')

    expect(await verdictsOf(site)).toEqual(['unsigned', 'unsigned'])
    expect(site.warnings('PACKAGE_UNSIGNED')).toEqual([expect.stringContaining('2 packages')])
  })

  it('that were warned of are refused once they are required, and what was published stays', async () => {
    await using upstream = await startUpstream({ folder: 'tests/fixtures/rpm/unsigned' })
    const under = (packages: string) => ({
      repositories: [repository(upstream.url, { keys: ['demo.asc'], metadata: 'off', packages })],
    })
    await using site = await openSite({ files, ...under('warn') })
    await site.sync('demo')
    await site.publish('demo')
    const shown = await readTree(site.published('repositories/demo/latest'))
    await site.reopen(under('require'))

    const results = [await site.trySync('demo'), await site.trySync('demo')]

    for (const { status, revision, error } of results) {
      expect({ status, revision }).toEqual({ status: 'failed', revision: 1 })
      expect(error).toMatchObject({
        code: 'SIGNATURE_MISSING',
        message: expect.stringContaining('2 packages'),
      })
    }
    await site.publish('demo')
    expect(await readTree(site.published('repositories/demo/latest'))).toEqual(shown)
    await site.reopen(under('warn'))
    expect(await site.trySync('demo')).toMatchObject({ status: 'unchanged', revision: 1 })
  })

  it('are warned of as long as the packages are held', async () => {
    await using upstream = await startUpstream({ folder: 'tests/fixtures/rpm/unsigned' })
    const verify = { keys: ['demo.asc'], metadata: 'off', packages: 'warn' }
    await using site = await openSite({ files, repositories: [repository(upstream.url, verify)] })
    await site.sync('demo')

    const { warnings } = await site.sync('demo', { force: true })

    expect(warnings.map(({ code }) => code)).toContain('PACKAGE_UNSIGNED')
  })

  it('are left alone where that is asked for', async () => {
    await using upstream = await startUpstream({ folder: 'tests/fixtures/rpm/unsigned' })
    const verify = { keys: ['demo.asc'], metadata: 'off', packages: 'off' }
    await using site = await openSite({ files, repositories: [repository(upstream.url, verify)] })

    await site.sync('demo')

    expect(await verdictsOf(site)).toEqual([null, null])
  })

  it('of held packages are checked again when the keys change', async () => {
    await using upstream = await startUpstream({ folder: 'assets/demo/v1' })
    const under = (keys: readonly string[], packages: string) => ({
      repositories: [repository(upstream.url, { keys, metadata: 'off', packages })],
    })
    await using site = await openSite({ files, ...under(['demo.asc'], 'require') })
    await site.sync('demo')

    await site.reopen(under(['stranger.asc'], 'require'))
    const refused = await site.trySync('demo')
    const before = await verdictsOf(site)
    await site.reopen(under(['stranger.asc'], 'warn'))
    const warned = await site.trySync('demo')

    expect(refused.error?.code).toBe('SIGNATURE_INVALID')
    expect(new Set(before)).toEqual(new Set(['good']))
    expect(warned).toMatchObject({ status: 'unchanged', revision: 1 })
    expect(new Set(await verdictsOf(site))).toEqual(new Set(['unknown-key']))
  })
})

it('refuses a package of which only the payload was changed, though its header is signed', async () => {
  const { rpmSignatures } = await import('../../ecosystems/rpm/signatures.ts')
  const { openPackageVerifier } = await import('../../sign/openpgp.ts')
  const verifier = await openPackageVerifier({ keys: [demoKey], weakDigests: [], now: () => new Date() })
  const bytes = await readFile('assets/demo/v1/Packages/demo-hello-1.0-1.noarch.rpm')
  const changed = Buffer.from(bytes)
  changed.writeUInt8((changed.at(-1) ?? 0) ^ 1, changed.length - 1)
  const verify = (content: Buffer, mustCoverAll: boolean) =>
    rpmSignatures.verify(
      {
        size: content.length,
        head: (maxBytes) => content.subarray(0, maxBytes),
        async *read(start = 0) {
          yield content.subarray(start)
        },
      },
      verifier,
      { mustCoverAll },
    )

  expect(await verify(bytes, true)).toMatchObject({ state: 'good' })
  expect(await verify(changed, false)).toMatchObject({ state: 'good' })
  expect(await verify(changed, true)).toMatchObject({
    state: 'bad',
    reason: 'its payload is not the one that was signed',
  })
})
