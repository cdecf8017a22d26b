import { execFileSync, type SpawnSyncReturns, spawnSync } from 'node:child_process'
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeEach, describe, expect, it } from 'vitest'
import { documentationProgram, fullName, leafCommands } from '../scripts/docs/commands.ts'

/** What users get: the package as npm packs it, installed into an empty folder. */
const root = path.join(import.meta.dirname, '..')
const folder = mkdtempSync(path.join(tmpdir(), 'chantal-package-'))
// The Node that runs this comes first, as for a user who has one new enough.
const env = {
  // npm speaks of its own matters otherwise.
  npm_config_loglevel: 'error',
  ...process.env,
  PATH: `${path.dirname(process.execPath)}${path.delimiter}${process.env['PATH']}`,
}
const reason = install()

afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** @returns why it could not be installed; `null` where it could */
function install(): string | null {
  execFileSync('npm', ['pack', '--pack-destination', folder], { cwd: root, env, stdio: 'pipe' })
  const archive = readdirSync(folder).find((name) => name.endsWith('.tgz'))
  if (archive === undefined) throw new Error('npm packed nothing')
  mkdirSync(path.join(folder, 'empty'))
  const installed = run('npm', 'install', '--no-audit', '--no-fund', path.join(folder, archive))
  if (installed.status === 0) return null
  if (/ENOTFOUND|ECONNREFUSED|ETIMEDOUT|EAI_AGAIN|ENOTCACHED|E40[34]\b/.test(installed.stderr))
    return 'the dependencies cannot be fetched here'
  throw new Error(`npm install failed:\n${installed.stderr}`)
}

function run(program: string, ...args: readonly string[]): SpawnSyncReturns<string> {
  return spawnSync(program, args, { cwd: path.join(folder, 'empty'), env, encoding: 'utf8' })
}

describe.skipIf(reason !== null)(`the package${reason === null ? '' : ` (${reason})`}`, () => {
  const home = path.join(folder, 'empty/node_modules/chantal')

  it('holds the program and what it needs, and nothing of its making', () => {
    const files = readdirSync(home, { recursive: true, encoding: 'utf8' }).filter(
      (name) => !name.startsWith('node_modules'),
    )

    expect(files).toEqual(
      expect.arrayContaining([
        'bin/chantal.js',
        'bin/chantal-quickstart.js',
        'dist/start.cjs',
        'dist/LICENSES.txt',
      ]),
    )
    expect(
      files.filter((name) =>
        /\.test\.|\.e2e\.|fixtures|(^|\/)tests?(\/|$)|^(src|scripts|bench)(\/|$)/.test(name),
      ),
    ).toEqual([])
  })

  it('tells its version', () => {
    const { version } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as {
      version: string
    }

    expect(run('npx', 'chantal', '--version')).toMatchObject({
      status: 0,
      stdout: `${version}\n`,
      stderr: '',
    })
  })

  it('starts with what V8 compiled the time before, and without where the user wants it so', () => {
    const cache = path.join(folder, 'compiled')
    const start = (more: NodeJS.ProcessEnv) =>
      spawnSync(path.join(home, 'bin/chantal.js'), ['completion', 'bash'], {
        env: { ...env, NODE_COMPILE_CACHE: cache, ...more },
        encoding: 'utf8',
      })
    const kept = () =>
      existsSync(cache)
        ? readdirSync(cache, { recursive: true, encoding: 'utf8' }).filter((name) =>
            /chantal-program-\w+\.completion\.bash\./.test(name),
          )
        : []

    const without = start({ NODE_DISABLE_COMPILE_CACHE: '1' })
    expect(kept()).toEqual([])
    const first = start({})
    const [file] = kept()
    if (file === undefined) throw new Error('nothing is kept')
    const { ino } = statSync(path.join(cache, file))
    const second = start({})

    expect(statSync(path.join(cache, file)).ino).toBe(ino)
    for (const { status, stdout, stderr } of [first, second])
      expect([status, stdout, stderr]).toEqual([0, without.stdout, ''])
  })

  describe('with no folder chosen for what V8 compiled', () => {
    const user = path.join(folder, 'user')
    const temporary = path.join(folder, 'temporary')
    const kept = path.join(user, '.cache/chantal')
    const start = (...words: readonly string[]) => {
      const unset = {
        NODE_COMPILE_CACHE: undefined,
        NODE_DISABLE_COMPILE_CACHE: undefined,
        XDG_CACHE_HOME: undefined,
      }
      const { status, stdout, stderr } = spawnSync(path.join(home, 'bin/chantal.js'), words, {
        env: { ...env, ...unset, HOME: user, TMPDIR: temporary },
        encoding: 'utf8',
      })
      return [status, stdout, stderr]
    }
    beforeEach(() => {
      for (const made of [user, temporary]) {
        rmSync(made, { recursive: true, force: true })
        mkdirSync(made)
      }
    })

    it('keeps it in the cache folder of the user, and looks for none in the folder for temporary files', () => {
      const first = start('completion', 'bash')
      const second = start('completion', 'bash')

      expect(first).toEqual([0, expect.stringContaining('complete'), ''])
      expect(second).toEqual(first)
      expect(statSync(kept).mode & 0o777).toBe(0o700)
      expect(readdirSync(kept)).toContainEqual(
        expect.stringMatching(/^chantal-program-\w+\.completion\.bash\./),
      )
      expect(readdirSync(temporary)).toEqual([])
    })

    it('does not run what lies in one that others may enter', () => {
      const [name] = readdirSync(path.join(home, 'dist')).filter((file) => file.startsWith('program-'))
      const program = path.join(home, 'dist', name ?? '')
      const code = readFileSync(program, 'utf8')
      const another = `(function (exports) { exports.beforeHeapIsBounded = () => {}; console.log('another') })`
      try {
        // V8 knows a script by its length.
        writeFileSync(program, another.padEnd(code.length))
        expect(start('--version')).toEqual([0, 'another\n', ''])
      } finally {
        writeFileSync(program, code)
      }
      expect(start('--version')).toEqual([0, 'another\n', ''])

      chmodSync(kept, 0o777)

      expect(start('--version')).toEqual([0, expect.stringMatching(/^\d/), ''])
    })

    it('does without where there is no home', () => {
      rmSync(user, { recursive: true })

      expect(start('completion', 'bash')).toEqual([0, expect.stringContaining('complete'), ''])

      expect(existsSync(user)).toBe(false)
      expect(readdirSync(temporary)).toEqual([])
    })
  })

  it.each(leafCommands(documentationProgram()).map((command) => fullName(command).slice('chantal '.length)))(
    'has help on %s',
    (command) => {
      const { status, stdout, stderr } = run(
        'node',
        path.join(home, 'bin/chantal.js'),
        ...command.split(' '),
        '--help',
      )

      expect([status, stderr]).toEqual([0, ''])
      expect(stdout).toMatch(/^Usage: chantal /)
    },
  )

  it('has a quick start, with whose configuration every command goes on', () => {
    const { status, stdout, stderr } = run('npx', 'chantal-quickstart')
    expect([status, stderr]).toEqual([0, ''])
    expect(stdout).toContain('demo@before -> demo: 1 added, 1 removed, 1 updated')
    expect(
      existsSync(
        path.join(folder, 'empty/quickstart/data/published/repositories/demo/latest/repodata/repomd.xml'),
      ),
    ).toBe(true)

    for (const command of [
      'config check',
      'repo list',
      'repo show demo',
      'repo sync demo',
      'repo history',
      'snapshot list',
      'snapshot create demo@after',
      'snapshot diff demo@before demo@after',
      'content search server',
      'content show demo-server',
      'publish repo demo --force',
      'publish rollback repositories/demo/latest',
      'publish release repositories/demo/latest',
      'publish export demo@before exported',
      'pool verify',
      'pool gc',
      'pool stats',
      'lease list',
      'stats',
    ]) {
      const ran = run('npx', 'chantal', '--config', 'quickstart/config.yaml', ...command.split(' '))
      expect([command, ran.status, ran.stderr]).toEqual([command, 0, expect.any(String)])
    }
  })

  it('can have its quick start again, and leaves no process behind', () => {
    const { status } = run('npx', 'chantal-quickstart')
    const processes = execFileSync('ps', ['-eo', 'args'], { encoding: 'utf8' })

    expect(status).toBe(0)
    expect(processes).not.toContain(home)
  })
})
