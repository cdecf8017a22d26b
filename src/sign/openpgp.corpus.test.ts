import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { openOpenPgpVerifier } from './openpgp.ts'

const corpus = '../shared/corpus'
const title = existsSync(corpus)
  ? 'signatures of real repositories'
  : `signatures of real repositories (skipped: no ${corpus})`

function read(path: string): Buffer {
  return readFileSync(`${corpus}/${path}`)
}

function verifierOf(key: string, now = new Date('2026-11-24T00:00:00Z')) {
  return openOpenPgpVerifier({ keys: [read(key)], now: () => now })
}

describe.skipIf(!existsSync(corpus))(title, () => {
  it.each([
    ['rpm/eupnea', 'public_key.gpg', 'C2FD94D27193AF9D55E351C529CA5218233BC283'],
    ['rpm/smfc-rpm', 'smfc-repo.gpg', '6912A3397CF97359857AB82F9E06E863D50D7541'],
    ['rpm/librepo-testdata/static/01', 'repodata/repomd.xml.key', 'F4FC5B6AC58696023B9DBFB197BDB7906441EDF5'],
  ])('hold for repomd.xml of %s', async (repository, key, fingerprint) => {
    const verifier = await verifierOf(`${repository}/${key}`)

    const by = await verifier.detached(
      read(`${repository}/repodata/repomd.xml`),
      read(`${repository}/repodata/repomd.xml.asc`),
    )

    expect(by.fingerprint).toBe(fingerprint)
  })

  it.each([
    ['apt/rxiv-maker/dists/stable/InRelease', 'apt/rxiv-maker/pubkey.gpg'],
    ['apt/t2-ubuntu/InRelease', 'apt/t2-ubuntu/KEY.gpg'],
    ['apt/pulp-deb-fixtures/debian/dists/ragnarok/InRelease', 'keys/GPG-KEY-fixture-signing'],
    [
      'apt/debian-bookworm-updates-small/dists/bookworm-updates/InRelease',
      'apt/debian-bookworm-updates-small/debian-archive-keyring.gpg',
    ],
    [
      'helm/helm-testdata/provenance/hashtest-1.2.3.tgz.prov',
      'helm/helm-testdata/provenance/helm-mixed-keyring.pub',
    ],
  ])('hold around %s', async (path, key) => {
    const verifier = await verifierOf(key)

    const { text, by } = await verifier.cleartext(read(path))

    expect(text).not.toContain('PGP')
    expect(by.fingerprint).toMatch(/^[0-9A-F]{40}$/)
    expect(verifier.fingerprints).toContain(by.fingerprint)
  })

  it.each([
    ['rpm/empty-repo-signed', 'rpm/empty-repo-signed/repodata/repomd.xml.key', 'the key has expired'],
    ['rpm/ruapm-wslu', 'rpm/ruapm-wslu/repodata/repomd.xml.key', 'its digest is too weak'],
    ['rpm/eupnea', 'rpm/smfc-rpm/smfc-repo.gpg', 'key 29CA5218233BC283: not a trusted key'],
  ])('do not hold for repomd.xml of %s', async (repository, key, reason) => {
    const verifier = await verifierOf(key)

    const result = verifier.detached(
      read(`${repository}/repodata/repomd.xml`),
      read(`${repository}/repodata/repomd.xml.asc`),
    )

    await expect(result).rejects.toMatchObject({
      code: 'SIGNATURE_INVALID',
      message: expect.stringContaining(reason),
    })
  })

  it.each(['debian-mixed/dists/muspelheim', 'debian-invalid/dists/nosuite'])(
    'do not hold for the damaged suite %s',
    async (suite) => {
      const verifier = await verifierOf('keys/GPG-KEY-fixture-signing')

      const result = verifier.cleartext(read(`apt/pulp-deb-fixtures/${suite}/InRelease`))

      await expect(result).rejects.toMatchObject({
        code: 'SIGNATURE_INVALID',
        message: expect.stringContaining('bad signature'),
      })
    },
  )

  it('of version 3 hold while the key was valid', async () => {
    const path = 'rpm/empty-repo-signed/repodata'
    const verifier = await verifierOf(`${path}/repomd.xml.key`, new Date('2021-10-01T00:00:00Z'))

    const by = await verifier.detached(read(`${path}/repomd.xml`), read(`${path}/repomd.xml.asc`))

    expect(by.signedAt).toEqual(new Date(1631807457_000))
  })

  it('of version 3 do not hold for other data', async () => {
    const path = 'rpm/empty-repo-signed/repodata'
    const verifier = await verifierOf(`${path}/repomd.xml.key`, new Date('2021-10-01T00:00:00Z'))

    const result = verifier.detached(Buffer.from('<repomd/>'), read(`${path}/repomd.xml.asc`))

    await expect(result).rejects.toMatchObject({
      code: 'SIGNATURE_INVALID',
      message: expect.stringContaining('bad signature'),
    })
  })
})
