import { readFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { openSite, type Site, signingKey } from '../../../tests/support/site.ts'
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
