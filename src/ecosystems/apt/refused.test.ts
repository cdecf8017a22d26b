import { createHash } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { type AptTerms, aptModes, openAptSite } from '../../../tests/support/apt-site.ts'
import {
  type AptChange,
  type AptFiles,
  aptDates,
  aptFiles,
  changeApt,
  startAptUpstream,
} from '../../../tests/support/apt-upstream.ts'
import type { SyncResult } from '../../app/sync/sync-result.ts'
import type { ErrorCode } from '../../core/errors.ts'

const day = 24 * 60 * 60 * 1000
const v1 = aptFiles('v1')
const amd64 = 'main/binary-amd64/Packages'

/** @returns codes, or `synced`, one for both modes */
async function outcomeOf(files: AptFiles, terms: AptTerms = {}): Promise<string> {
  await using upstream = await startAptUpstream(files)
  await using site = await openAptSite(upstream.url, terms)
  const results: SyncResult[] = []
  for (const mode of aptModes) results.push(await site.trySync(mode))
  const [outcome, ...others] = new Set(results.map(({ cause, status }) => cause?.code ?? status))
  expect(others).toEqual([])
  return outcome ?? ''
}

const changed = (change: AptChange) => changeApt(v1, change)
const without = (...names: readonly string[]) =>
  Object.fromEntries(Object.entries(v1).filter(([name]) => !names.some((gone) => name.endsWith(gone))))
const edited = (name: string, edit: (text: string) => string) => ({
  ...v1,
  [name]: Buffer.from(edit(Buffer.from(v1[name] ?? '').toString('latin1')), 'latin1'),
})
const dated = (date: Date) =>
  changed({
    release: (text) => text.replace(/^Date: .*/m, `Date: ${date.toUTCString()}`),
    signedAt: aptDates.v1,
  })
const datedAs = (value: string) =>
  changed({ release: (text) => text.replace(/^Date: .*/m, value), signedAt: aptDates.v1 })
const listing = (path: string) =>
  changed({ release: (text) => `${text} ${createHash('sha256').update('').digest('hex')} 9 ${path}\n` })
const greeter = (edit: (stanza: string) => string) =>
  changed({ indexes: { [amd64]: (text) => text.replace(/^Package: greeter\n(?:.+\n)+/m, edit) } })

describe('an APT upstream', () => {
  const inRelease = 'dists/stable/InRelease'
  const cases: readonly (readonly [
    what: string,
    files: () => AptFiles | Promise<AptFiles>,
    outcome: 'synced' | ErrorCode,
    terms?: AptTerms,
  ])[] = [
    ['that is in order', () => v1, 'synced'],
    ['signed by two keys of which one is known', () => v1, 'synced', { keys: ['next'] }],
    ['signed by a key that is not known', () => v1, 'SIGNATURE_INVALID', { keys: ['other'] }],
    ['signed by another key than before', () => changed({ signers: ['other'] }), 'SIGNATURE_INVALID'],
    [
      'with a word changed in its InRelease',
      () => edited(inRelease, (text) => text.replace('Version: 1.1', 'Version: 1.2')),
      'SIGNATURE_INVALID',
    ],
    [
      'with a line before what is signed',
      () => edited(inRelease, (text) => `Suite: other\n${text}`),
      'SIGNATURE_INVALID',
    ],
    [
      'with a line after what is signed',
      () => edited(inRelease, (text) => `${text}Suite: other\n`),
      'SIGNATURE_INVALID',
    ],
    // apt takes these two for files that are not signed.
    [
      'with an empty line before what is signed',
      () => edited(inRelease, (text) => `\n${text}`),
      'SIGNATURE_INVALID',
    ],
    [
      'with an empty line after what is signed',
      () => edited(inRelease, (text) => `${text}\n`),
      'SIGNATURE_INVALID',
    ],
    ['signed in two blocks of which one is by a known key', () => signedInTwoBlocks(), 'synced'],
    [
      'whose InRelease is not signed',
      () => ({ ...v1, [inRelease]: v1['dists/stable/Release'] ?? Buffer.of() }),
      'SIGNATURE_MISSING',
    ],
    ['with Release and Release.gpg alone', () => without('stable/InRelease'), 'synced'],
    ['with Release alone', () => without('stable/InRelease', 'stable/Release.gpg'), 'SIGNATURE_MISSING'],
    [
      'with an empty Release.gpg',
      () => ({ ...without('stable/InRelease'), 'dists/stable/Release.gpg': Buffer.of() }),
      'SIGNATURE_MISSING',
    ],
    [
      'with the Release.gpg of another Release',
      () => ({
        ...without('stable/InRelease'),
        'dists/stable/Release.gpg': v1['dists/old/updates/Release.gpg'] ?? Buffer.of(),
      }),
      'SIGNATURE_INVALID',
    ],
    ['with neither', () => without('stable/InRelease', 'stable/Release'), 'UPSTREAM_INVALID'],
    [
      'whose time is over',
      () => v1,
      'UPSTREAM_STALE',
      { suites: ['stable-updates'], now: new Date(aptDates.v1.getTime() + 8 * day) },
    ],
    [
      'whose time is over, where that does not matter',
      () => v1,
      'synced',
      {
        suites: ['stable-updates'],
        now: new Date(aptDates.v1.getTime() + 8 * day),
        options: { check_valid_until: false },
      },
    ],
    ['whose time is not over', () => v1, 'synced', { suites: ['stable-updates'] }],
    [
      'of tomorrow',
      () => dated(new Date(aptDates.v1.getTime() + 2 * day)),
      'UPSTREAM_INVALID',
      { now: aptDates.v1 },
    ],
    ['with a date that cannot be read', () => datedAs('Date: yesterday'), 'UPSTREAM_INVALID'],
    [
      'with the date of another zone',
      () => datedAs('Date: Mon, 05 Jan 2026 00:00:00 +0100'),
      'UPSTREAM_INVALID',
    ],
    [
      'with a date that cannot be read, where dates do not matter',
      () => datedAs('Date: yesterday'),
      'synced',
      { options: { check_date: false } },
    ],
    ['without a date', () => datedAs('X-Note: undated'), 'synced'],
    [
      'with a component that is not there',
      () => v1,
      'UPSTREAM_INVALID',
      { options: { components: ['main', 'restricted'] } },
    ],
    [
      'without indexes of the architecture',
      () => v1,
      'UPSTREAM_INVALID',
      { suites: ['old/updates'], options: { architectures: ['riscv64'] } },
    ],
    ['with another index than it lists', () => tampered(v1), 'CHECKSUM_MISMATCH'],
    [
      'that vouches for its indexes with MD5',
      () =>
        changed({
          release: (text) => text.replace('SHA256:', 'MD5Sum:').replaceAll(/^ (\w{32})\w{32} /gm, ' $1 '),
        }),
      'CHECKSUM_MISSING',
    ],
    ['that lists what it does not have', () => listing('main/dep11/Components-i386.yml.gz'), 'synced'],
    [
      'with a package outside its tree',
      () => greeter((stanza) => stanza.replace(/^Filename: .*/m, 'Filename: ../../etc/x')),
      'PATH_UNSAFE',
    ],
    [
      'with a package at the root',
      () => greeter((stanza) => stanza.replace(/^Filename: .*/m, 'Filename: /etc/x')),
      'PATH_UNSAFE',
    ],
    [
      'with other bytes than it promises',
      () => ({ ...v1, 'pool/main/a/apt/apt_1.0_amd64.deb': Buffer.alloc(844) }),
      'CHECKSUM_MISMATCH',
    ],
    ['without a package that it lists', () => without('apt_1.0_amd64.deb'), 'SYNC_INCOMPLETE'],
  ]

  it.each(cases.map(([what, files, outcome, terms = {}]) => ({ what, files, outcome, terms })))(
    '$what: $outcome',
    async ({ files, outcome, terms }) => {
      expect(await outcomeOf(await files(), terms)).toBe(outcome)
    },
  )

  it.each([
    ['main/i18n/../../../../../x/Translation-en', 'PATH_UNSAFE'],
    ['main/../../../../x/Packages', undefined],
    ['/etc/Contents-amd64', undefined],
  ])('is never asked for what it lists as %s', async (path, code) => {
    await using upstream = await startAptUpstream(await listing(path))
    await using site = await openAptSite(upstream.url)

    const results = [await site.trySync('mirror'), await site.trySync('filtered')]

    expect(results.map(({ cause }) => cause?.code)).toEqual([code, undefined])
    expect(upstream.requests.filter(({ url }) => /\.\.|etc|x\//.test(url))).toEqual([])
  })
})

/** Every form of an index with other bytes. */
function tampered(files: AptFiles): AptFiles {
  const isIndex = (name: string) => name.includes('/main/binary-amd64/')
  return Object.fromEntries(
    Object.entries(files).map(([name, bytes]) => [name, isIndex(name) ? bytes.toReversed() : bytes]),
  )
}

/** As a tool makes it that signs a file again for a second key, and puts that signature after the first. */
async function signedInTwoBlocks(): Promise<AptFiles> {
  const name = 'dists/stable/InRelease'
  const [other, known] = [await changed({ signers: ['other'] }), await changed({ signers: ['archive'] })]
  const block = Buffer.from(known[name] ?? '')
    .toString('latin1')
    .replace(/^.*(?=-----BEGIN PGP SIGNATURE)/s, '')
  return { ...other, [name]: Buffer.concat([other[name] ?? Buffer.of(), Buffer.from(block)]) }
}
