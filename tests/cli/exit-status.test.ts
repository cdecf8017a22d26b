import { rm, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { errorShape, resultShapes } from '../../src/cli/shapes/results.ts'
import { loadConfiguration } from '../../src/config/load.ts'
import { ecosystems } from '../../src/ecosystems/registry.ts'
import { openContext } from '../../src/open-context.ts'
import { CommandLine } from '../support/command-line.ts'
import { startUpstream } from '../upstream/upstream.ts'

let line: CommandLine

beforeAll(async () => {
  line = await CommandLine.open()
})
afterAll(() => line[Symbol.asyncDispose]())

describe('a mistake in what was typed', () => {
  it.each([
    ['', 'no command given'],
    ['repo', 'no command given'],
    ['repo snc', "unknown command 'snc'\nhint: Did you mean sync?"],
    ['snapsot list', "unknown command 'snapsot'\nhint: Did you mean snapshot?"],
    ['repo sync --forse', "unknown option '--forse'\nhint: Did you mean --force?"],
    ['repo list --format xml', 'Allowed choices are table, json, csv.'],
    ['repo list --progress loud', 'Allowed choices are auto, bar, plain, json, none.'],
    ['repo sync demo --workers 0', 'It has to be a whole number from 1.'],
    ['repo show', "missing required argument 'id'"],
    ['repo show demo empty', 'too many arguments'],
    ['repo sync', 'no repository named\nhint: Name repositories, or use --all.'],
    ['publish repo', 'no repository named\nhint: Name repositories, or use --all.'],
    ['repo sync --all --type deb', 'there is no ecosystem "deb", only rpm and apt\nhint: Give --type one of'],
    [
      'repo check-updates --type prm',
      'there is no ecosystem "prm", only rpm and apt\nhint: Did you mean "rpm"?',
    ],
    ['publish repo --type deb', 'there is no ecosystem "deb"'],
    ['repo list --type deb', 'there is no ecosystem "deb"'],
    [
      'snapshot create',
      'no snapshot named\nhint: Write ID@NAME, or --repo-id ID --name NAME, or --view NAME --name NAME.',
    ],
    ['snapshot create --name x', 'no snapshot named'],
    ['snapshot create --repo-id demo --view both --name x', 'of a repository or of a view'],
    ['publish view', "missing required argument 'name'"],
    ['package copy demo demo-hello', "required option '--to <id>' not specified"],
    ['package copy demo demo-hello --to demo', 'demo is no hosted repository'],
    ['package move tools x --to tools', 'are the same'],
    ['publish snapshot demo@x --snapshot y', 'name a snapshot twice'],
    ['snapshot create demo@latest', 'names no snapshot'],
    ['snapshot create demo@x --label oops', 'It has to be KEY=VALUE.'],
    ['pool gc --grace soon', '--grace "soon" is not a duration, such as 24h'],
    ['pool verify --rate fast', '--rate "fast" is not a rate, such as 50MB/s'],
    ['pool verify --rate 0', '--rate "0" is not a rate, such as 50MB/s'],
    ['completion tcsh', 'Allowed choices are bash, zsh, fish.'],
    ['help nonsense', "unknown help topic 'nonsense'"],
  ])('`%s` ends with 2 and says so', async (command, message) => {
    const { status, stdout, stderr } = await line.run(command)

    expect([status, stdout]).toEqual([2, ''])
    expect(stderr).toContain(message)
    expect(stderr).toMatch(/^error: [\s\S]*\nhint: .*\nUSAGE_INVALID\n$/)
  })

  it.each(['repo snc --json', '--format json repo snc', 'repo snc --format=json'])(
    'is a document for machines: %s',
    async (command) => {
      const { status, stdout, stderr } = await line.run(command)

      expect([status, stderr]).toEqual([2, ''])
      expect(errorShape.parse(JSON.parse(stdout)).error.code).toBe('USAGE_INVALID')
    },
  )
})

describe('a configuration', () => {
  it('that is not there ends with 2 and says where it was looked for', async () => {
    const { status, stderr } = await line.runBare(['--config', 'other.yaml', 'repo', 'list'])

    expect(status).toBe(2)
    expect(stderr).toMatch(
      /^error: no configuration file .*other\.yaml\nhint: .*--config.*\nCONFIG_MISSING\n$/,
    )
  })

  it('with a mistake ends with 2 and shows the place, the key and what was meant', async () => {
    await using other = await CommandLine.open()
    await other.configure(
      'storage: { base_path: data }\nrepositories:\n  - id: epel\n    type: rpm\n    mirorlist: https://example.org/\n',
    )

    const { status, stderr } = await other.run('repo list')

    expect(status).toBe(2)
    expect(stderr).toBe(
      'error: configuration: unknown key "mirorlist"\n' +
        '  config.yaml:5:5   repositories[0].mirorlist\n' +
        'hint: Did you mean "mirrorlist"?\n' +
        'CONFIG_INVALID\n',
    )
  })

  it('that includes no file is warned of, and not as an old spelling', async () => {
    await using other = await CommandLine.open()
    await other.configure({ include: 'conf.d/*.yaml', storage: { base_path: 'data' } })

    const { status, stderr } = await other.run('repo list --json')

    expect(status).toBe(0)
    expect(stderr).toContain('CONFIG_FILE_MISSING')
    expect(stderr).not.toContain('CONFIG_TRANSLATED')
  })

  it('that names files which cannot be read is told by `config check`, ten for people and all for machines', async () => {
    await using other = await CommandLine.open()
    const repositories = Array.from({ length: 12 }, (_, n) => ({
      id: `r${n}`,
      type: 'rpm',
      feed: 'https://example.org/',
      verify: { keys: ['missing.asc'] },
    }))
    await other.configure({ storage: { base_path: 'data' }, repositories })

    const shown = await other.run('config check')
    const { stdout } = await other.run('config check --json')

    expect(shown.status).toBe(2)
    expect(shown.stderr.split('\n').filter((text) => text.includes('missing.asc')).length).toBe(10)
    expect(shown.stderr).toContain('... and 2 more')
    expect(errorShape.parse(JSON.parse(stdout)).error.details['problems']).toHaveLength(12)
  })
})

describe('what is asked for', () => {
  it.each([
    ['repo show nope', 3, 'NOT_FOUND'],
    ['repo sync dmo', 3, 'Did you mean "demo"?'],
    ['publish repo demo', 3, 'hint: Run `chantal repo sync demo`.'],
    ['snapshot show demo@nope', 3, 'NOT_FOUND'],
    ['publish unpublish repositories/demo/latest --yes', 3, 'nothing is published at'],
    ['content show nothing', 3, 'NOT_FOUND'],
    ['view show bth', 3, 'Did you mean "both"?'],
    ['publish view both', 3, 'demo has never been synced'],
    ['snapshot create both@x --allow-partial', 3, 'demo has never been synced'],
    ['snapshot list nope', 3, 'no repository and no view "nope"'],
    ['repo sync empty', 20, 'UPSTREAM_UNREACHABLE'],
  ])('`%s` ends with %i before anything was synced', async (command, expected, message) => {
    const { status, stderr } = await line.run(command)

    expect(status).toBe(expected)
    expect(stderr).toContain(message)
  })

  it('ends with 4 where it is there already', async () => {
    await line.run('repo sync demo')
    await line.run('snapshot create demo@one')

    const { status, stderr } = await line.run('snapshot create demo@one')

    expect(status).toBe(4)
    expect(stderr).toMatch(/ALREADY_EXISTS\n$/)
  })
})

describe('syncing and publishing', () => {
  it('publishes the last good revision after a sync that failed, and names it', async () => {
    await line.run('repo sync demo')
    await rm(join(line.folder, 'upstream'), { recursive: true })
    expect((await line.run('repo sync demo')).status).toBe(20)

    const { status, stdout, stderr } = await line.run('publish repo demo')
    await line.showUpstream('v1')

    expect(status).toBe(0)
    expect(stdout).toContain('published repositories/demo/latest')
    expect(stderr).toMatch(/warning: .*ended as failed: publishing revision 1, the last good one/)
  })

  it('ends with 50 where a view is to be frozen after a sync that was partial, unless that is allowed', async () => {
    await line.run(`package upload ${resolve('assets/demo/v1/Packages')} --repo tools`)
    await line.run('repo sync demo')
    await rm(join(line.folder, 'upstream'), { recursive: true })
    await line.run('repo sync demo')

    const refused = await line.run('snapshot create both@partial')
    const allowed = await line.run('snapshot create both@partial --allow-partial')
    await line.showUpstream('v1')

    expect(refused.status).toBe(50)
    expect(refused.stderr).toContain('demo (failed')
    expect(allowed).toMatchObject({ status: 0, stdout: expect.stringContaining('2 members, 12 packages') })
  })

  it('refuses with 12 to undo a rollback until it is released', async () => {
    await line.run('publish repo demo')
    await line.run('publish repo demo --force')
    expect((await line.run('publish rollback repositories/demo/latest')).status).toBe(0)

    const held = await line.run('publish repo demo')
    await line.run('publish release repositories/demo/latest')
    const released = await line.run('publish repo demo')

    expect(held.status).toBe(12)
    expect(held.stderr).toContain('chantal publish release repositories/demo/latest')
    expect(released.status).toBe(0)
  })

  it('ends with 11 where another process is at it, and names that process', async () => {
    const { settings } = await loadConfiguration({
      file: 'config.yaml',
      environment: {},
      home: null,
      workingFolder: line.folder,
      ecosystems,
      now: new Date(),
    })
    const surroundings = { reporter: { report: () => {} }, now: () => new Date(), version: 'test' }
    await using other = await openContext(settings, surroundings)
    await using _ = await other.catalog.acquire({
      resource: 'repository:demo',
      mode: 'exclusive',
      purpose: 'sync demo',
      waitMs: 0,
      signal: new AbortController().signal,
    })

    const { status, stderr } = await line.run('repo sync demo')
    const { stdout } = await line.run('lease list')

    expect(status).toBe(11)
    expect(stderr).toContain(String(process.pid))
    expect(stdout).toContain('repository:demo')
  })

  it('ends with 50 where upstream lists what it has not, and names it', async () => {
    await using upstream = await startUpstream({ folder: 'assets/demo/v2' })
    await using other = await CommandLine.open()
    await other.configure({
      storage: { base_path: 'data' },
      repositories: [{ id: 'demo', type: 'rpm', feed: upstream.url }],
    })
    upstream.behave('Packages/demo-hello-1.0-1.noarch.rpm', { kind: 'status', status: 404 })

    const shown = await other.run('repo sync demo')
    const { stdout } = await other.run('repo sync demo --json')
    const result = resultShapes['repo sync']?.parse(JSON.parse(stdout))

    expect(shown.status).toBe(50)
    expect(shown.stdout).toMatch(/^demo: partial \(SYNC_INCOMPLETE\)\n {2}missing: Packages\/demo-hello/)
    expect(result).toMatchObject({
      repositories: [{ status: 'partial', missing: [{ path: expect.stringContaining('demo-hello') }] }],
    })
  })

  it('ends with 10 where several failed for different reasons, and tells each', async () => {
    await using other = await CommandLine.open()
    const feed = `${pathToFileURL(join(other.folder, 'upstream'))}/`
    await other.configure({
      storage: { base_path: 'data' },
      repositories: [
        { id: 'gone', type: 'rpm', feed: `${feed}nowhere/` },
        { id: 'broken', type: 'rpm', feed },
      ],
    })
    await writeFile(join(other.folder, 'upstream/repodata/repomd.xml'), 'not XML')

    const { status, stdout, stderr } = await other.run('repo sync --all')

    expect(status).toBe(10)
    expect(stdout).toBe('gone: failed (UPSTREAM_UNREACHABLE)\nbroken: failed (UPSTREAM_INVALID)\n')
    expect(stderr).toMatch(/error: gone: [\s\S]*error: broken: [\s\S]*SEVERAL_FAILED\n$/)
  })

  it('publishes what it can of several, and says what it could not', async () => {
    const shown = await line.run('publish repo demo empty')
    const { status, stdout } = await line.run('publish repo demo empty --json')

    expect([shown.status, status]).toEqual([3, 3])
    expect(shown.stdout).toContain('repositories/demo/latest')
    expect(shown.stderr).toContain('error: empty: empty has never been synced')
    expect(errorShape.parse(JSON.parse(stdout)).error.details).toEqual({
      failed: ['empty: NOT_FOUND'],
      published: ['repositories/demo/latest'],
    })
  })

  it('ends with 41 where the pool is damaged, and with 0 once it is repaired', async () => {
    const { stdout: listed } = await line.run('content list demo --json')
    const [digest = ''] = /(?<="sha256": ")[0-9a-f]{64}/.exec(listed) ?? []
    const blob = join(line.folder, 'data/pool/sha256', digest.slice(0, 2), digest)
    await rm(blob)
    await writeFile(blob, 'damaged')

    const damaged = await line.run('pool verify')
    const repaired = await line.run('pool verify --repair')

    expect(damaged.status).toBe(41)
    expect(damaged.stdout).toContain(`corrupt: ${digest}`)
    expect(damaged.stderr).toContain('chantal pool verify --repair')
    expect(repaired.status).toBe(0)
  })

  it('is told by `doctor`, with the status of the gravest finding', async () => {
    const { status, stdout, stderr } = await line.run('doctor --json')
    const shown = await line.run('doctor')
    const result = resultShapes['doctor']?.parse(JSON.parse(stdout))

    expect([status, shown.status, stderr]).toEqual([20, 20, ''])
    expect(result).toMatchObject({ status: 'problem' })
    expect(shown.stdout).toMatch(/^problem +feeds +1 of 2 answer\n {4}problem: empty: cannot read /m)
    expect(shown.stderr).toMatch(/^error: empty: cannot read [\s\S]*UPSTREAM_UNREACHABLE\n$/)
  })

  it('is told by `doctor` where the configuration does not load', async () => {
    await using other = await CommandLine.open()
    await other.configure('repositories: [{ id: a, tipe: rpm }]')

    const { status, stdout } = await other.run('doctor --json')

    expect(status).toBe(2)
    expect(resultShapes['doctor']?.parse(JSON.parse(stdout))).toMatchObject({
      status: 'problem',
      checks: [{ check: 'configuration', findings: [{ code: 'CONFIG_INVALID' }] }],
    })
  })

  it('ends with 130 when it is interrupted, consistent', async () => {
    const { status, stderr } = await line.run('repo sync demo --force', { signal: AbortSignal.abort() })

    expect(status).toBe(130)
    expect(stderr).toMatch(/INTERRUPTED\n$/)
    expect((await line.run('repo sync demo')).status).toBe(0)
  })
})
