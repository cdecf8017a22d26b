import { existsSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { documentationProgram, fullName, leafCommands } from '../../scripts/docs/commands.ts'
import { resultShapes } from '../../src/cli/shapes/results.ts'
import { matchesPattern } from '../../src/core/pattern.ts'
import { formatNevra } from '../../src/ecosystems/rpm/formats/nevra.ts'
import { CommandLine, parseCsv, type Ran } from '../support/command-line.ts'

const plain = 'tests/fixtures/rpm-headers/chantal-plain-1-1.noarch.rpm'
let line: CommandLine

beforeAll(async () => {
  line = await CommandLine.open()
  for (const command of ['repo sync demo', 'snapshot create demo@first --label ticket=OPS-1'])
    await ok(command)
  await line.showUpstream('v2')
})
afterAll(() => line[Symbol.asyncDispose]())

/** Every command once, in an order in which each finds what it needs. */
const story = [
  'config check',
  'repo list',
  'repo show demo',
  'repo check-updates demo',
  'repo sync demo',
  'repo history --limit 5',
  'snapshot create --repo-id demo --name second --description later',
  'snapshot copy demo@second demo@third',
  'snapshot list demo',
  'snapshot show demo@first',
  'snapshot content demo@first',
  'snapshot diff demo@first demo@second',
  'content list demo demo-s*',
  'content search server demo demo@first',
  'content show demo-server',
  'publish snapshot --repo-id demo --snapshot first',
  'publish snapshot demo@first --as production',
  'publish repo demo',
  'publish repo --all --pattern demo --force',
  'publish list',
  'publish rollback repositories/demo/latest',
  'publish release repositories/demo/latest',
  'publish unpublish repositories/demo/snapshots/first --dry-run',
  'publish unpublish repositories/demo/snapshots/first --yes',
  'publish unpublish demo@first --yes',
  'publish export demo@first EXPORT',
  'repo sync --all --type rpm --pattern demo --repo-id demo --workers 1 --force --publish',
  'snapshot pin demo@third',
  'snapshot unpin demo@third',
  'snapshot prune --dry-run',
  'snapshot prune demo --yes',
  'snapshot delete demo@third --dry-run',
  'snapshot delete demo@third --yes',
  `package upload ${resolve('tests/fixtures/rpm-headers')} --repo tools --recursive`,
  `package upload ${resolve(plain)} --repo tools --force`,
  'package copy demo@first demo-hello --to tools',
  'package move tools demo-hello --to spare --dry-run',
  'package move tools demo-hello --to spare',
  'view list',
  'view show both',
  'snapshot create --view both --name first --allow-partial',
  'snapshot show both@first',
  'snapshot diff both@first',
  'view diff both both@first',
  'publish view both',
  'publish snapshot --view both --snapshot first',
  'package remove tools chantal-odd --dry-run',
  'package remove tools chantal-o* chantal-plain --yes',
  'pool stats',
  'pool verify --rate 1GB/s',
  'pool verify --restart',
  'pool orphaned',
  'pool missing',
  'pool adopt --dry-run',
  'pool adopt',
  'pool gc --dry-run --grace 0s',
  'pool gc',
  'db export EXPORT.yaml.gz --force',
  'db import EXPORT.yaml.gz',
  'db stats',
  'db status',
  'db upgrade',
  'db vacuum',
  'db backup EXPORT.db',
  'db verify --deep --repair',
  'db cleanup --dry-run',
  'lease list',
  'stats',
  'doctor demo',
  'init',
]

describe('every command', () => {
  it('gives machines what its shape says, names absent things null, and has but warnings on standard error', async () => {
    for (const command of story) {
      const { status, stdout, stderr } = await line.run([
        ...words(command.replace('EXPORT', join(line.folder, 'json'))),
        '--json',
        '--progress',
        'none',
      ])

      const isWarning = (text: string) => text.startsWith('warning: ')
      const others = stderr.split('\n').filter((text) => text !== '' && !isWarning(text))
      expect([command, status, others]).toEqual([command, 0, []])
      const parsed = shapeOf(command).safeParse(JSON.parse(stdout))
      expect([command, parsed.error?.message]).toEqual([command, undefined])
    }
  })

  it('is one of those whose results are documented', () => {
    const commands = leafCommands(documentationProgram()).map((command) =>
      fullName(command).slice('chantal '.length),
    )

    expect(Object.keys(resultShapes).sort()).toEqual(
      commands
        .filter((name) => !['config show', 'config schema', 'completion', 'help'].includes(name))
        .sort(),
    )
    expect(
      Object.keys(resultShapes).filter((name) => !story.some((command) => command.startsWith(name))),
    ).toEqual([])
  })

  it('gives spreadsheets rows of one width, with a line of titles', async () => {
    for (const command of [
      'repo list',
      'repo show demo',
      'repo history',
      'snapshot list',
      'snapshot show demo',
      'snapshot content demo@first',
      'content list demo',
      'snapshot diff demo@first demo',
      'publish list',
      'pool stats',
      'stats',
      'db stats',
      'db status',
      'repo check-updates demo',
    ]) {
      const { status, stdout } = await line.run(`${command} --format csv`)
      const rows = parseCsv(stdout)

      expect([command, status]).toEqual([command, 0])
      expect(stdout.split('\r\n').length, command).toBe(rows.length + 2)
      expect(rows.length, command).toBeGreaterThan(0)
      expect(
        Object.keys(rows[0] ?? {}).every((title) => /^[a-z0-9_]+$/.test(title)),
        command,
      ).toBe(true)
    }
  })
})

describe('for people', () => {
  it('a list is a table', async () => {
    const { stdout } = await line.run('repo list')

    expect(stdout.replaceAll(line.folder, '').replaceAll(/\d{4}-\S+ \d\d:\d\d:\d\dZ/g, 'TIME')).toMatch(
      /^ID {5}TYPE {2}MODE {4}ENABLED {2}PACKAGES {4}SIZE {2}REVISION {2}LAST SYNC +FEED\ndemo {3}rpm {3}mirror {2}yes +6 {3}48 kB +2 {2}TIME (synced|unchanged) +file:\/\/\/upstream\/\nempty {2}rpm {3}mirror {2}yes +0 +0 B +- {2}never +file:\/\/\/nowhere\/\noff {4}rpm {3}mirror {2}no +0 +0 B +- {2}never +file:\/\/\/upstream\/\ntools {2}rpm {3}hosted {2}no +0 +0 B +4 {2}TIME synced +-\nspare {2}rpm {3}hosted {2}no +1 +\S+ kB +1 {2}TIME synced +-\n$/,
    )
  })

  it.each([
    'repo list',
    'repo history',
    'snapshot list',
    'publish list',
    'content list demo',
    'snapshot content demo@first',
    'content search demo',
    'lease list',
    'view list',
  ])('%s fits into 80 columns', async (command) => {
    const { stdout } = await line.run(command, { terminal: { resultColumns: 80 } })

    expect(Math.max(...stdout.split('\n').map((text) => text.length))).toBeLessThanOrEqual(80)
  })

  it('an audit lists checksums, signatures and origins of what a snapshot holds', async () => {
    const { stdout } = await line.run('snapshot content demo@first --format csv')
    const legacy = parseCsv(stdout).find(({ name }) => name === 'demo-legacy')

    expect(legacy).toMatchObject({
      key: 'demo-legacy-0:1.0-1.noarch',
      sha256: expect.stringMatching(/^[0-9a-f]{64}$/),
      size: expect.stringMatching(/^\d+$/),
      signature: 'good',
      signed_by: expect.stringMatching(/^[0-9A-F]{40}$/),
      origin: `${pathToFileURL(join(line.folder, 'upstream'))}/Packages/demo-legacy-1.0-1.noarch.rpm`,
    })
  })

  it('a diff names what came, went and moved', async () => {
    const { stdout } = await line.run('snapshot diff demo@first demo@second')

    expect(stdout).toBe(
      'demo@first -> demo@second: 1 added, 1 removed, 1 updated, 0 replaced\n' +
        '+ demo-extra-0:1.0-1.noarch\n- demo-legacy-0:1.0-1.noarch\n^ demo-server.noarch  0:1.0-1 -> 0:1.1-1\n',
    )
  })

  it('a view says what it holds, and a diff of it what changed in which member', async () => {
    const before = await line.run('view show both')
    await line.run('snapshot create both@bare')
    await line.run('package copy demo@first demo-legacy --to tools')
    const moved = await line.run('view diff both both@bare')
    const shown = await line.run('snapshot show both@bare')
    const created = await line.run('snapshot copy both@bare both@kept')
    const history = await line.run('repo history tools --limit 1 --format csv')
    await line.run('package remove tools demo-legacy --yes')

    expect(before.stdout).toContain('signed with: nothing\n')
    expect(before.stdout).toMatch(/\nMEMBER +MODE [^\n]*\ndemo +mirror +2 +6 [^\n]*\ntools +hosted +4 +0 /)
    expect(moved.stdout).toBe(
      'both@bare -> both: 1 added, 0 removed, 0 updated, 0 replaced\n  demo: the same\n' +
        '  tools: 1 added, 0 removed, 0 updated, 0 replaced\n+ demo-legacy-0:1.0-1.noarch\n',
    )
    expect(shown.stdout).toContain(
      'demo (revision 2, mirror, 6 packages), tools (revision 4, hosted, 0 packages)',
    )
    expect(created.stdout).toBe('created both@kept: 2 members, 6 packages\n')
    expect(parseCsv(history.stdout)).toMatchObject([{ kind: 'copy', status: 'synced', added: '1' }])
  })

  it('a copy says what became of each package, and a move where it left', async () => {
    const copied = await line.run('package copy demo@first demo-hello --to tools')
    const moved = await line.run('package move tools demo-hello --to spare')

    expect(copied).toMatchObject({ status: 0, stderr: '' })
    expect(copied.stdout).toMatch(
      /^demo@first -> tools: 1 added, 0 replaced, 0 unchanged; revision \d+, 1 package\n\+ demo-hello-0:1\.0-1\.noarch/,
    )
    expect(moved.stdout).toMatch(
      /^tools -> spare: 0 added, 0 replaced, 1 unchanged; revision \d+, 1 package; removed from tools, revision \d+\n= demo-hello/,
    )
  })

  it('says what to do next to someone who is looking on, and not to a script', async () => {
    const shown = await line.run('snapshot create demo@next', { terminal: { isInteractive: true } })
    const piped = await line.run('snapshot create demo@again')

    expect(shown.stderr).toContain('chantal publish snapshot demo@next')
    expect(piped.stderr).toBe('')
  })

  it('asks before it destroys, and does not where the answer is no', async () => {
    const no = await line.run('snapshot delete demo@next', { answer: false })
    const nobody = await line.run('snapshot delete demo@next')
    const yes = await line.run('snapshot delete demo@next', { answer: true })

    expect(no).toMatchObject({ status: 130, questions: ['delete demo@next with 6 packages'] })
    expect(nobody.status).toBe(2)
    expect(nobody.stderr).toContain('Give --yes')
    expect(yes).toMatchObject({ status: 0, stdout: 'deleted demo@next (6 packages)\n' })
  })

  it('an upload says what became of each package, and what was found of its signature', async () => {
    const first = await line.run(['package', 'upload', resolve(plain), '--repo', 'tools'], {
      terminal: { isInteractive: true },
    })
    const again = await line.run(['package', 'upload', resolve(plain), '--repo', 'tools', '--format', 'csv'])

    expect(first.stdout).toMatch(
      /^tools: 1 added, 0 replaced, 0 unchanged; revision \d+, 1 package\n\+ chantal-plain-0:1-1\.noarch \(not signed\)\n$/,
    )
    expect(first.stderr).toContain('chantal publish repo tools')
    expect(parseCsv(again.stdout)).toMatchObject([
      { file: resolve(plain), status: 'unchanged', key: 'chantal-plain-0:1-1.noarch' },
    ])
  })

  it('a removal asks, and removes what was asked about', async () => {
    await line.run(['package', 'upload', resolve(plain), '--repo', 'tools'])

    const nobody = await line.run('package remove tools chantal-*')
    const no = await line.run('package remove tools chantal-*', { answer: false })
    const yes = await line.run('package remove tools chantal-*', { answer: true })

    expect([nobody.status, no.status, yes.status]).toEqual([2, 130, 0])
    expect(no.questions).toEqual(['remove 1 package from tools'])
    expect(yes.stdout).toMatch(
      /^tools: 1 package removed; revision \d+, 0 packages\n- chantal-plain-0:1-1\.noarch\n$/,
    )
  })

  it('a move that is only tried says what would come of it, and suggests nothing', async () => {
    await line.run(['package', 'upload', resolve(plain), '--repo', 'tools'])

    const { status, stdout, stderr } = await line.run('package move tools chantal-* --to spare --dry-run', {
      terminal: { isInteractive: true },
    })

    expect([status, stdout]).toEqual([
      0,
      'tools -> spare: would be 1 added, 0 replaced, 0 unchanged, and 1 removed from tools\n+ chantal-plain-0:1-1.noarch (not signed)\n',
    ])
    expect(stderr).not.toContain('publish')
  })

  it.each(['remove', 'move'])('the example of `package %s` chooses a package by its key', async (command) => {
    const key = formatNevra({
      name: 'hello',
      epoch: '0',
      version: '1.0',
      release: '1',
      architecture: 'x86_64',
    })

    const { stdout } = await line.run(`package ${command} --help`)

    const pattern = /^Example: .* "?(hello[^" ]*)/m.exec(stdout)?.[1] ?? ''
    expect(matchesPattern(key, pattern)).toBe(true)
  })

  it('a sync of many passes over hosted repositories, and one of such a repository is a mistake', async () => {
    const many = await line.run('repo check-updates demo too* --json')
    const one = await line.run('repo sync tools')

    expect(JSON.parse(many.stdout).repositories.map(({ id }: { id: string }) => id)).toEqual(['demo'])
    expect(one.status).toBe(2)
    expect(one.stderr).toContain('tools is hosted: it has nothing to sync from')
  })

  it('an upload to a repository with an upstream, or to none, is a mistake', async () => {
    const mirrored = await line.run(['package', 'upload', resolve(plain), '--repo', 'demo'])
    const nameless = await line.run(['package', 'upload', resolve(plain)])

    expect([mirrored.status, nameless.status]).toEqual([2, 2])
    expect(mirrored.stderr).toContain('demo is no hosted repository')
    expect(nameless.stderr).toContain('--repo')
  })

  it('a view says of each member what it lacks: a sync, or an upload', async () => {
    await using other = await CommandLine.open()

    const { status, stdout } = await other.run('view show both')

    expect(status).toBe(0)
    expect(stdout).toMatch(/^demo +mirror .*no: sync it$/m)
    expect(stdout).toMatch(/^tools +hosted .*no: upload to it$/m)
  })

  it('pruning says which go, why the others stay and what that frees, and asks', async () => {
    await using other = await CommandLine.open()
    await other.configure({
      storage: { base_path: 'data' },
      repositories: [
        {
          id: 'demo',
          type: 'rpm',
          feed: `${pathToFileURL(join(other.folder, 'upstream'))}/`,
          retention: { keep_last: 1 },
        },
      ],
    })
    for (const command of ['repo sync demo', 'snapshot create demo@a', 'snapshot create demo@b --pin'])
      await other.run(command)
    await other.showUpstream('v2')
    for (const command of ['repo sync demo', 'snapshot create demo@c']) await other.run(command)

    const planned = await other.run('snapshot prune --dry-run')
    const nobody = await other.run('snapshot prune')
    const yes = await other.run('snapshot prune', { answer: true })
    const left = await other.run('snapshot list --format csv')

    expect(planned.status).toBe(0)
    expect(planned.stdout.replaceAll(/\d{4}-\S+ \d\d:\d\d:\d\dZ/g, 'TIME').split(/ *\n/)).toEqual([
      'SOURCE  CREATED               PACKAGES  ACTION  KEPT BY',
      'demo@a  TIME         6  remove',
      'demo@b  TIME         6  keep    pinned',
      'demo@c  TIME         6  keep    keep_last',
      '',
      'would remove 1 snapshot and keep 2; `chantal pool gc` would then free 0 blobs (0 B)',
      '',
    ])
    expect([nobody.status, yes.status, yes.questions]).toEqual([2, 0, ['remove 1 snapshot (demo@a)']])
    expect(parseCsv(left.stdout).map(({ source, pinned }) => [source, pinned])).toEqual([
      ['demo@b', 'yes'],
      ['demo@c', ''],
    ])
  })

  it.each(['start', 'sources', 'exit', 'json', 'repo', 'repo sync'])('has help on %s', async (topic) => {
    const { status, stdout } = await line.run(`help ${topic}`)

    expect(status).toBe(0)
    expect(stdout.length).toBeGreaterThan(100)
  })
})

describe('global options', () => {
  it.each([
    ['--json repo list', 'repo list --json'],
    ['--format json repo list', 'repo list --format=json'],
    ['--format csv repo list', 'repo list --format csv'],
  ])('%s is %s', async (before, after) => {
    const [one, other] = [await line.run(before), await line.run(after)]

    expect(one.status).toBe(0)
    expect(one.stdout).toBe(other.stdout)
  })

  it('--quiet is silent but for errors', async () => {
    const good = await line.run('repo sync demo --quiet')
    const bad = await line.run('repo sync empty --quiet')

    expect(good.stderr).toBe('')
    expect(bad.stderr).toMatch(/^error: empty: .*\nhint: .*\nUPSTREAM_UNREACHABLE\n$/)
  })

  it('--progress json writes an event a line, each as documented', async () => {
    const { progressShapes } = await import('../../src/cli/shapes/progress.ts')
    const { stderr } = await line.run('repo sync demo --force --publish --progress json')
    const events = stderr
      .trim()
      .split('\n')
      .map((text) => JSON.parse(text) as { type: keyof typeof progressShapes })

    expect(events.map(({ type }) => type)).toEqual(expect.arrayContaining(['sync.started', 'sync.finished']))
    for (const event of events) expect(progressShapes[event.type].safeParse(event).error).toBeUndefined()
  })

  it('--progress bar draws on a terminal and leaves nothing behind', async () => {
    await rm(join(line.folder, 'data'), { recursive: true, force: true })
    const { stderr, stdout } = await line.run('repo sync demo --progress bar', {
      terminal: { isInteractive: true },
    })

    expect(stderr).toContain('demo [')
    expect(lastScreen(stderr)).not.toContain('[#')
    expect(stdout).toMatch(/^demo: synced, revision 1/)
  })

  it('--progress none shows warnings and no progress', async () => {
    const synced = await line.run('repo sync demo --force --publish --progress none')
    await line.run(`package upload ${resolve(plain)} --repo tools`)
    const published = await line.run('publish view both --force --progress none')
    const quiet = await line.run('publish view both --force --quiet')

    expect(synced.stderr).toBe('')
    expect(published.stderr).toMatch(/^warning: both is published unsigned, .* \(UNSIGNED_PUBLICATION\)\n$/)
    expect(quiet.stderr).toBe('')
  })

  it('--no-color and a terminal without colours get none', async () => {
    const terminal = { useColor: true }
    const coloured = await line.run('repo show nope', { terminal })
    const plain = await line.run('repo show nope --no-color', { terminal })
    const unknown = await line.run('repo shw --no-color', { terminal })

    expect(coloured.stderr).toContain('\u001b[')
    expect(plain.stderr + unknown.stderr).not.toContain('\u001b[')
  })
})

describe('what does not need the pool', () => {
  it('goes on without it, and what does says that it is missing', async () => {
    await rm(join(line.folder, 'data/pool'), { recursive: true })

    for (const command of [
      'repo list',
      'repo show demo',
      'repo history',
      'snapshot list',
      'content list demo',
      'publish list',
      'lease list',
    ])
      expect([command, (await line.run(command)).status]).toEqual([command, 0])
    for (const command of ['pool gc', 'pool verify', 'repo sync demo'])
      expect([command, (await line.run(command)).status]).toEqual([command, 40])
    expect(existsSync(join(line.folder, 'data/pool'))).toBe(false)
  })
})

async function ok(command: string): Promise<Ran> {
  const ran = await line.run(command)
  expect([command, ran.status, ran.stderr]).toEqual([command, 0, expect.anything()])
  return ran
}

function words(command: string): readonly string[] {
  return command.split(' ')
}

function shapeOf(command: string) {
  const found = Object.entries(resultShapes).find(
    ([name]) => command === name || command.startsWith(`${name} `),
  )
  if (!found) throw new Error(`no shape for ${command}`)
  return found[1]
}

/** What is left of the last line after its last clearing. */
function lastScreen(text: string): string {
  return text.slice(text.lastIndexOf('\u001b[2K'))
}
