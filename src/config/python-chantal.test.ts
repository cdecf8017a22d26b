import { describe, expect, it } from 'vitest'
import { loadText, TemporaryConfiguration } from './temporary-configuration.ts'

const rpm = (rest: string) => `repositories:\n  - id: a\n    type: rpm\n    feed: https://a/\n${rest}`
const apt = (rest: string) =>
  `repositories:\n  - id: a\n    type: apt\n    feed: https://a/\n    apt: ${rest}\n`

describe('a spelling of the Python Chantal means what it did, with a notice that names today’s', () => {
  it.each<[string, object, string]>([
    [
      'download: {parallel: 4}',
      { download: { concurrency: 4 } },
      '"download.parallel" is now "download.concurrency"',
    ],
    [
      `download: {retry_attempts: 7}\n${rpm('')}`,
      { repositories: [{ download: { retries: 7 } }] },
      '"download.retries"',
    ],
    [
      `download: {timeout: 300}\n${rpm('')}`,
      { repositories: [{ download: { timeoutMs: 300_000 } }] },
      'takes a unit',
    ],
    ['download: {backend: requests}', {}, '"download.backend" is not used'],
    ['download: {verify_checksum: true}', {}, 'checksums are always verified'],
    ['database: {pool_size: 5}', {}, '"database.pool_size" is not used'],
    ['storage: {temp_path: /tmp}', {}, '"storage.temp_path" is not used'],
    ['cache: {enabled: true}', {}, '"cache" is not used'],
    [
      apt('{distribution: jammy}'),
      { repositories: [{ options: { suites: ['jammy'] } }] },
      '"apt.distribution" is now "apt.suites"',
    ],
    [
      apt('{distribution: jammy, include_source_packages: true}'),
      { repositories: [{ options: { sources: true } }] },
      '"apt.include_source_packages" is now "apt.sources"',
    ],
    [apt('{distribution: jammy, by_hash: true}'), {}, '"apt.by_hash" is not used'],
    [
      apt('{distribution: jammy, origin: us, codename: jammy, not_automatic: true}\n    mode: filtered'),
      {
        repositories: [
          {
            options: { release: { origin: 'us', codename: 'jammy', not_automatic: true }, suites: ['jammy'] },
          },
        ],
      },
      '"apt.origin" is now "apt.release.origin"',
    ],
    [
      apt('{distribution: jammy, valid_until_days: 7}\n    filters: {patterns: {include: [a]}}'),
      { repositories: [{ options: { release: { valid_days: 7 } } }] },
      '"apt.valid_until_days" is now "apt.release.valid_days"',
    ],
    [
      apt('{distribution: jammy, label: null}\n    mode: filtered'),
      {},
      '"apt.label" is not used: what upstream says is taken',
    ],
    [
      apt('{distribution: jammy, label: us}'),
      {},
      '"apt.label" is not used: a mirror has the Release files of upstream',
    ],
    [
      rpm('    gpg: {enabled: true, key_file: key.asc, passphrase: pw, public_key_name: key.gpg}'),
      { repositories: [{ signing: { key: 'a key', passphrase: 'pw' } }] },
      '"gpg.key_file" is now "signing.key_file"',
    ],
    [
      `gpg: {key_file: key.asc}\n${rpm('')}`,
      { repositories: [{ signing: { key: 'a key' } }] },
      '"signing.key_file"',
    ],
    [
      `gpg: {key_file: key.asc}\n${rpm('    gpg: {enabled: false}')}`,
      { repositories: [{ signing: null }] },
      '"gpg" is now "signing"',
    ],
    [
      rpm('    gpg: {key_id: ABCD, gnupg_home: /x}'),
      { repositories: [{ signing: null }] },
      'until "signing.key_file"',
    ],
    [
      rpm(
        `    verify: {enabled: true, key_files: [key.asc], keys: ['-----BEGIN PGP'], trusted_fingerprints: [${'a'.repeat(40)}]}`,
      ),
      { repositories: [{ verify: { metadata: 'require', fingerprints: ['A'.repeat(40)], keys: [{}, {}] } }] },
      '"verify.key_files" is now "verify.keys"',
    ],
    [
      rpm('    verify: {enabled: false, key_files: [key.asc]}'),
      { repositories: [{ verify: { metadata: 'off', packages: 'off' } }] },
      '"verify.enabled" is now "verify.metadata"',
    ],
    [
      rpm('    verify: {enabled: true, key_files: [key.asc], on_missing_signature: warn, gpgcheck: true}'),
      { repositories: [{ verify: { metadata: 'require' } }] },
      'a missing signature always fails',
    ],
    [
      rpm('    verify: {key_files: [key.asc], gpgcheck: true}'),
      { repositories: [{ verify: { packages: 'require' } }] },
      'packages must be signed',
    ],
    [
      rpm('    verify: {key_files: [key.asc], gpgcheck: false}'),
      { repositories: [{ verify: { metadata: 'require', packages: 'off' } }] },
      '"verify.gpgcheck" is now "verify.packages"',
    ],
    [
      rpm('    auth: {type: custom, headers: {X-Key: k}}'),
      { repositories: [{ credentials: { kind: 'headers', headers: { 'X-Key': 'k' } } }] },
      'is now "auth.type: headers"',
    ],
    [
      rpm('    auth: {type: client_cert, cert_file: key.asc, key_file: key.asc}'),
      { repositories: [{ tls: { certificate: 'a key', key: 'a key' } }] },
      '"auth.cert_file" is now "auth.cert"',
    ],
    [
      rpm('    auth: {type: bearer, token: t, verify_ssl: false}'),
      { repositories: [{ tls: { verify: false } }] },
      '"auth.verify_ssl" is now "ssl.verify"',
    ],
    [
      rpm('    ssl: {ca_cert: "-----BEGIN CERTIFICATE"}'),
      { repositories: [{ tls: { ca: '-----BEGIN CERTIFICATE' } }] },
      '"ssl.ca_bundle"',
    ],
    [
      rpm('    filters: {include_packages: [a], exclude_architectures: [i686]}'),
      { repositories: [{ filters: { patterns: { include: [/a/] }, architectures: { exclude: ['i686'] } } }] },
      '"filters.include_packages" is now "filters.patterns.include"',
    ],
    [rpm('    retention: {policy: mirror}'), {}, '"retention" is not used'],
    [rpm('    schedule: {enabled: true}'), {}, '"schedule" is not used'],
    [rpm('    latest_path: x'), {}, '"latest_path" is not used'],
    [rpm('    metadata: {compression: auto}'), {}, '"metadata" is not used'],
    [
      'repositories: [{id: a, type: rpm, mode: hosted, feed: ""}]',
      { repositories: [{ feed: null }] },
      '"feed" is not used',
    ],
    [
      rpm('views: [{name: v, repos: [a], publish_path: x}]'),
      { views: [{ name: 'v' }] },
      '"publish_path" is not used',
    ],
  ])('%s', async (text, expected, notice) => {
    await using files = await TemporaryConfiguration.of({ 'config.yaml': text, 'key.asc': 'a key' })

    const { settings } = await files.load()

    expect(settings).toMatchObject(expected)
    expect(settings.notices.map(({ message }) => message).join('\n')).toContain(notice)
    expect(settings.notices.every(({ message }) => /^config\.yaml:\d+:\d+: /.test(message))).toBe(true)
  })
})

it('keeps what is written today where both are there, and says so', async () => {
  const { settings } = await loadText('download: {parallel: 4, concurrency: 5}')

  expect(settings.download.concurrency).toBe(5)
  expect(settings.notices).toEqual([
    {
      code: 'CONFIG_TRANSLATED',
      message: 'config.yaml:1:12: "download.parallel" is not used: "download.concurrency" is given',
    },
  ])
})

it('has nothing to say about what is written as today', async () => {
  const { settings } = await loadText(
    rpm('    verify: {metadata: "off"}\n    auth: {type: client_cert, cert_dir: /x}\n'),
  )

  expect(settings.notices).toEqual([])
})

it('hands the compression of RPM metadata to the ecosystem that knows it', async () => {
  const { settings } = await loadText(rpm('    metadata: {compression: zstandard}'))

  expect(settings.repositories[0]?.options).toEqual({ compression: 'zstd' })
  expect(settings.notices).toMatchObject([
    { message: expect.stringContaining('"metadata.compression" is now "rpm.compression"') },
  ])
})
