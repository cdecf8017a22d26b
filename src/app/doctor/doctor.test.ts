import { chmod, mkdir, readdir, rm, symlink, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { describe, expect, it } from 'vitest'
import { startDemoUpstream } from '../../../tests/support/demo-upstream.ts'
import { keyThatExpires } from '../../../tests/support/keys-with-an-end.ts'
import { openSite, type Site, signingKey } from '../../../tests/support/site.ts'
import { createCertificates, whyNoCertificates } from '../../../tests/upstream/certificates.ts'
import { TemporaryConfiguration } from '../../config/temporary-configuration.ts'
import { checkConfiguration } from './check-configuration.ts'
import { diagnose, inShort, of, roomy } from './doctor.test-support.ts'
import { diagnosisError } from './doctor.ts'
import type { Finding } from './finding.ts'
import type { DiskFacts } from './parts.ts'

const day = 24 * 60 * 60 * 1000
const poolPath = (site: Site) => site.context.settings.storage.poolPath

describe('a doctor', () => {
  it('finds nothing wrong with an installation that works', async () => {
    await using upstream = await startDemoUpstream()
    const { privateKey } = await signingKey()
    await using site = await openSite({
      repositories: [{ id: 'demo', type: 'rpm', feed: upstream.url }],
      sections: { signing: { key_file: 'private.asc' } },
      files: { 'private.asc': privateKey },
    })
    await site.sync('demo')
    await site.publish('demo')

    const diagnosis = await diagnose(site.context.settings)

    expect(diagnosis.checks.map(({ check, status }) => `${check} ${status}`)).toEqual([
      // No keys are given for upstream.
      'configuration notice',
      'keys fine',
      'certificates fine',
      'catalog fine',
      'pool fine',
      'disks fine',
      'permissions fine',
      'feeds fine',
      'clocks fine',
    ])
    expect(diagnosis.checks[0]?.summary).toMatch(/: 1 repository, 0 views$/)
    expect(diagnosisError(diagnosis)).toBeNull()
  })

  it.each([
    [
      '',
      "upstream's signature is not checked, since no keys are configured",
      'Give its keys in `verify.keys`.',
    ],
    [
      ', verify: { keys: [public.asc], metadata: "off" }',
      "upstream's signature is not checked, since verify.metadata is off",
      'Remove `verify.metadata: off` if it signs its metadata.',
    ],
  ])('says why signatures of upstream are not checked: {%s}', async (verify, message, hint) => {
    await using files = await TemporaryConfiguration.of({
      'config.yaml': `storage: { base_path: data }\nrepositories: [{ id: a, type: rpm, feed: "https://a.example/"${verify} }]`,
      'public.asc': (await signingKey()).publicKey,
    })
    const { settings } = await files.load()

    const { findings } = await checkConfiguration({ settings })

    expect(findings).toEqual([expect.objectContaining({ severity: 'notice', subject: 'a', message, hint })])
  })

  it('makes nothing where nothing is yet', async () => {
    await using files = await TemporaryConfiguration.of({
      'config.yaml': 'storage: { base_path: data }\nrepositories: [{ id: a, type: rpm, mode: hosted }]',
    })
    const { settings } = await files.load()

    const diagnosis = await diagnose(settings)

    expect(of(diagnosis, 'catalog').findings.map(({ severity }) => severity)).toEqual(['notice'])
    expect(diagnosisError(diagnosis)).toBeNull()
    expect(await readdir(files.folder)).toEqual(['config.yaml'])
  })

  it('ends with the gravest of what it found: what does not work before what will not', () => {
    const check = (...findings: readonly Finding[]) => ({
      check: 'x',
      status: 'problem' as const,
      summary: '',
      findings,
    })
    const finding = (severity: Finding['severity'], code: Finding['code']): Finding => ({
      severity,
      subject: String(code),
      code,
      message: 'm',
      hint: 'h',
    })
    const ends = (...findings: readonly Finding[]) =>
      diagnosisError({ status: 'problem', checks: [check(...findings), check()] })

    expect([
      ends(finding('notice', null))?.code ?? null,
      ends(finding('warning', 'CONFIG_INVALID'), finding('problem', 'UPSTREAM_UNREACHABLE'))?.code,
      ends(finding('problem', 'UPSTREAM_UNREACHABLE'), finding('problem', 'DISK_FULL'))?.code,
      ends(finding('problem', 'SIGNATURE_INVALID'), finding('problem', 'POOL_UNMARKED'))?.traits.exit,
      ends(finding('notice', null), finding('warning', 'SIGNING_FAILED'))?.traits.exit,
    ]).toEqual([null, 'UPSTREAM_UNREACHABLE', 'DISK_FULL', 40, 60])
  })
})

describe('keys', () => {
  const now = new Date('2026-06-01T00:00:00Z')
  const configured = async (upstream: Date, ours: Date) => {
    const [theirs, own] = [await keyThatExpires(upstream), await keyThatExpires(ours)]
    await using files = await TemporaryConfiguration.of({
      'config.yaml': `signing: { key_file: own.asc }
repositories:
  - { id: a, type: rpm, enabled: false, feed: 'https://example.org/', verify: { keys: [theirs.asc] } }
  - { id: b, type: rpm, enabled: false, feed: 'https://example.org/', verify: { keys: [theirs.asc] } }`,
      'theirs.asc': theirs.publicKey,
      'own.asc': own.privateKey,
    })
    const { settings } = await files.load()
    return { theirs, own, keys: of(await diagnose(settings, { now }), 'keys') }
  }

  it.each([
    ['are fine for more than a month', 31, 31, []],
    ['are told of a month before they end', 29, 400, ['warning a SIGNATURE_INVALID']],
    ['of our own are told of too', 400, 30, ['warning a SIGNING_FAILED']],
    ['that have ended are a problem', -1, -1, ['problem a SIGNATURE_INVALID', 'problem a SIGNING_FAILED']],
  ])('%s', async (_, upstream, ours, expected) => {
    const end = (days: number) => new Date(now.getTime() + days * day)

    const { keys, theirs } = await configured(end(upstream), end(ours))

    expect(inShort(keys.findings)).toEqual(expected)
    for (const { subject, message, code, hint } of keys.findings) {
      if (code === 'SIGNATURE_INVALID')
        expect([subject, message]).toEqual(['a', expect.stringContaining(theirs.fingerprint)])
      expect(hint).not.toBeNull()
    }
  })

  it('that cannot be read are named', async () => {
    await using files = await TemporaryConfiguration.of({
      'config.yaml':
        "repositories: [{ id: a, type: rpm, enabled: false, feed: 'https://example.org/', verify: { keys: [bad.asc] }, signing: { key_file: bad.asc } }]",
      'bad.asc': 'not a key',
    })
    const { settings } = await files.load()

    const { findings } = of(await diagnose(settings), 'keys')

    expect(inShort(findings)).toEqual(['problem a CONFIG_INVALID', 'problem a CONFIG_INVALID'])
  })
})

const reason = whyNoCertificates()

describe.skipIf(reason !== null)(`client certificates${reason === null ? '' : ` (${reason})`}`, () => {
  it.each([
    ['that end within a month are told of', 0, ['warning a UPSTREAM_REFUSED']],
    ['that have ended are a problem', 30, ['problem a UPSTREAM_REFUSED']],
    ['that are not valid yet are a problem', -30, ['problem a UPSTREAM_REFUSED']],
  ])('%s', async (_, days, expected) => {
    const { client } = await createCertificates()
    await using files = await TemporaryConfiguration.of({
      'config.yaml':
        "ssl: { client_cert: c.pem, client_key: k.pem }\nrepositories: [{ id: a, type: rpm, enabled: false, feed: 'https://example.org/' }]",
      'c.pem': client.certificate,
      'k.pem': client.key,
    })
    const { settings } = await files.load()

    const diagnosis = await diagnose(settings, { now: new Date(Date.now() + days * day) })

    expect(inShort(of(diagnosis, 'certificates').findings)).toEqual(expected)
  })
})

describe('the catalog and the pool', () => {
  it('are a problem where the pool is not this catalog’s, or its disk is not there', async () => {
    await using site = await openSite({ repositories: [] })
    const { settings } = site.context
    const marker = path.join(poolPath(site), 'chantal-pool.json')
    await writeFile(marker, '{"catalog": "00000000-0000-0000-0000-000000000000"}')
    const another = of(await diagnose(settings), 'pool')
    await rm(poolPath(site), { recursive: true })

    const absent = await diagnose(settings)

    expect(inShort(another.findings)).toEqual([`problem ${poolPath(site)} POOL_UNMARKED`])
    expect(inShort(of(absent, 'pool').findings)).toEqual([`problem ${poolPath(site)} POOL_UNMARKED`])
    expect(diagnosisError(absent)).toMatchObject({ code: 'POOL_UNMARKED', traits: { exit: 40 } })
  })

  it('are a problem where the database does not open, and the rest is looked at all the same', async () => {
    await using files = await TemporaryConfiguration.of({
      'config.yaml': 'storage: { base_path: data }',
      'data/chantal.db': 'this is not a database, and longer than a hundred bytes '.repeat(10),
    })
    const { settings } = await files.load()

    const diagnosis = await diagnose(settings)

    expect(inShort(of(diagnosis, 'catalog').findings)).toEqual(['problem catalog CATALOG_UNAVAILABLE'])
    expect(diagnosis.checks).toHaveLength(9)
  })
})

describe('disks', () => {
  const folderOf = async (disks: (folder: string) => DiskFacts) => {
    await using files = await TemporaryConfiguration.of({ 'config.yaml': 'storage: { base_path: data }' })
    const { settings } = await files.load()
    const { findings } = of(await diagnose(settings, { disks }), 'disks')
    return inShort(findings).map((line) => line.replace(`${files.folder}/data/`, ''))
  }

  it.each<[string, Partial<DiskFacts>, readonly string[]]>([
    ['with room are fine', {}, []],
    ['whose file system makes inodes as needed are fine', { freeInodes: 0, totalInodes: 0 }, []],
    ['nearly full are a problem', { freeBytes: 9e8 }, ['problem pool DISK_FULL']],
    ['soon full are told of', { freeBytes: 4e10 }, ['warning pool DISK_FULL']],
    ['without inodes are a problem', { freeInodes: 1000 }, ['problem pool DISK_FULL']],
    ['with few inodes are told of', { freeInodes: 4e5 }, ['warning pool DISK_FULL']],
  ])('%s', async (_, facts, expected) => {
    expect(await folderOf(() => ({ ...roomy, ...facts }))).toEqual(expected)
  })

  it('that are two are told of: hard links do not reach from one to the other', async () => {
    const found = await folderOf((folder) =>
      folder.endsWith('published') ? { ...roomy, device: 2, freeBytes: 1 } : roomy,
    )

    expect(found).toEqual(['problem published DISK_FULL', 'warning published CONFIG_INVALID'])
  })
})

describe('permissions', () => {
  it.each([
    ['a link that leads nowhere', 'dangling', 'is a link that leads nowhere'],
    ['a file', 'file', 'is no folder'],
  ])('are a problem where %s is on the way', async (_, name, message) => {
    await using files = await TemporaryConfiguration.of({
      'config.yaml': `storage: { base_path: data, pool_path: ${name}/deep/pool, published_path: ${name} }`,
      file: '',
    })
    await symlink('absent/disk', path.join(files.folder, 'dangling'))
    await chmod(path.join(files.folder, 'file'), 0o755)
    const { settings } = await files.load()

    const { findings } = of(await diagnose(settings), 'permissions')

    const problems = findings.filter(({ severity }) => severity === 'problem')
    expect(inShort(problems)).toEqual([
      `problem ${files.folder}/${name}/deep/pool NOT_WRITABLE`,
      `problem ${files.folder}/${name} NOT_WRITABLE`,
    ])
    for (const problem of problems) {
      expect(problem).toMatchObject({
        message: `${files.folder}/${name} ${message}`,
        hint: expect.stringContaining('Is the disk mounted?'),
      })
    }
  })

  it('keep other users out of what is published where a folder above it is closed', async () => {
    await using site = await openSite({ repositories: [] })
    await mkdir(path.join(site.folder, 'data/published'), { recursive: true })
    await chmod(path.join(site.folder, 'data'), 0o750)

    const { findings } = of(await diagnose(site.context.settings), 'permissions')

    expect(findings).toMatchObject([
      {
        severity: 'notice',
        subject: path.join(site.folder, 'data'),
        message: expect.stringContaining('0750'),
        hint: expect.stringContaining('chmod o+x'),
      },
    ])
  })

  it('are a problem where folders cannot be made', async () => {
    await using files = await TemporaryConfiguration.of({
      'config.yaml': 'storage: { base_path: data/below }',
      data: 'a file',
    })
    const { settings } = await files.load()

    const { findings } = of(await diagnose(settings), 'permissions')

    expect(inShort(findings.filter(({ severity }) => severity === 'problem'))).toEqual([
      `problem ${files.folder}/data/below NOT_WRITABLE`,
      `problem ${files.folder}/data/below/pool NOT_WRITABLE`,
      `problem ${files.folder}/data/below/published NOT_WRITABLE`,
    ])
  })
})
