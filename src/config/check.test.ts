import { readFile } from 'node:fs/promises'
import { beforeAll, describe, expect, it } from 'vitest'
import { generateSigningKey, type SigningKeyPair } from '../sign/openpgp.ts'
import { checkConfiguration } from './check.ts'
import { TemporaryConfiguration } from './temporary-configuration.ts'

const now = new Date('2030-01-01T00:00:00Z')
let pair: SigningKeyPair

beforeAll(async () => {
  pair = await generateSigningKey({
    name: 'Test',
    email: 'test@example.org',
    now: new Date('2026-01-01T00:00:00Z'),
  })
})

async function check(rest: string) {
  await using files = await TemporaryConfiguration.of({
    'config.yaml': `repositories:\n  - id: a\n    type: rpm\n    feed: https://a/\n    ${rest}\n`,
    'public.asc': pair.publicKey,
    'private.asc': pair.privateKey,
    'words.txt': 'not a key',
    ...(await certificates()),
  })
  const { settings } = await files.load({}, now)
  return await checkConfiguration(settings, now)
}

async function certificates(): Promise<Record<string, Uint8Array>> {
  const names = ['1001.pem', '1001-key.pem', '1002.pem', '1002-key.pem']
  const entries = names.map(
    async (name) => [name, await readFile(`${import.meta.dirname}/fixtures/entitlement/${name}`)] as const,
  )
  return Object.fromEntries(await Promise.all(entries))
}

describe('finds nothing wrong with', () => {
  it.each([
    'verify: {keys: [public.asc]}',
    'signing: {key_file: private.asc}',
    'ssl: {ca_bundle: 1002.pem, client_cert: 1002.pem, client_key: 1002-key.pem}',
    'auth: {type: client_cert, cert_dir: .}',
  ])('%s', async (rest) => {
    expect((await check(rest)).problems).toEqual([])
  })
})

describe('says what would not work', () => {
  it.each([
    ['verify: {keys: [words.txt]}', 'verify: '],
    [`verify: {keys: [public.asc], fingerprints: [${'A'.repeat(40)}]}`, 'verify: '],
    ['verify: {keys: [missing.asc]}', 'there is no such file'],
    ['signing: {key_file: words.txt}', 'signing: '],
    ['signing: {key_file: public.asc}', 'signing: '],
    ['ssl: {ca_bundle: words.txt}', 'no PEM certificate'],
    ['ssl: {client_cert: words.txt, client_key: 1002-key.pem}', 'not a PEM certificate'],
    ['ssl: {client_cert: 1001.pem, client_key: 1001-key.pem}', 'expired on 2026-11-25'],
    ['ssl: {client_cert: 1002.pem, client_key: 1001-key.pem}', 'does not belong'],
    ['ssl: {client_cert: 1002.pem, client_key: words.txt}', 'not a PEM key'],
    ['auth: {type: client_cert, cert_dir: missing}', 'cannot read the folder'],
  ])('%s', async (rest, problem) => {
    const { problems } = await check(rest)

    expect(problems).toEqual([
      expect.objectContaining({ repository: 'a', problem: expect.stringContaining(problem) }),
    ])
  })
})

describe('notices what is not verified', () => {
  it.each([
    [
      'no certificates, and no signature for want of keys',
      'ssl: {verify: false}',
      [
        'a: certificates of upstream are not verified (ssl.verify is false)',
        "a: upstream's signature is not checked, since no keys are configured. Give its keys in `verify.keys`.",
      ],
    ],
    [
      'no signature though keys are given',
      'verify: {keys: [public.asc], metadata: "off"}',
      [
        "a: upstream's signature is not checked, since verify.metadata is off. Remove `verify.metadata: off` if it signs its metadata.",
      ],
    ],
    ['nothing where keys are given', 'verify: {keys: [public.asc]}', []],
  ])('%s', async (_, rest, expected) => {
    expect((await check(rest)).notices).toEqual(expected)
  })
})
