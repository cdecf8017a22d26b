import { execFileSync, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { build } from 'esbuild'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { documentationProgram, fullName, leafCommands } from '../../scripts/docs/commands.ts'
import { CommandLine } from '../support/command-line.ts'

const root = path.join(import.meta.dirname, '../..')
const main = path.join(root, 'src/main.ts')

let line: CommandLine
let folder: string

beforeAll(async () => {
  line = await CommandLine.open()
  await line.run('repo sync demo')
  folder = mkdtempSync(path.join(tmpdir(), 'chantal-program-'))
})
afterAll(async () => {
  await line[Symbol.asyncDispose]()
  rmSync(folder, { recursive: true, force: true })
})

describe('completion', () => {
  it.each([
    ['bash', ['-n']],
    ['zsh', ['-n']],
    ['fish', ['--no-execute']],
  ])('for %s is a script that the shell accepts', async (shell, options) => {
    const { status, stdout } = await line.run(`completion ${shell}`)
    const script = path.join(folder, `completion.${shell}`)
    writeFileSync(script, stdout)
    const checked = spawnSync(shell, [...options, script], { encoding: 'utf8' })

    expect(status).toBe(0)
    expect(stdout).toContain('check-updates')
    // A shell that is not installed cannot judge.
    if (!checked.error) expect([checked.status, checked.stderr]).toEqual([0, ''])
  })

  it.each([
    ['chantal sna', 'snapshot'],
    ['chantal repo sy', 'sync'],
    ['chantal --json repo sync --fo', '--force'],
    ['chantal snapshot create --desc', '--description'],
    ['chantal publish repo de', 'demo'],
  ])('in bash makes of `%s` %s', async (typed, expected) => {
    const { stdout } = await line.run('completion bash')
    const words = typed.split(' ')
    const script = [
      // What the program itself would say is asked for ids.
      'chantal() { printf "id,type\\r\\ndemo,rpm\\r\\n"; }',
      stdout,
      `COMP_WORDS=(${words.join(' ')}); COMP_CWORD=${words.length - 1}; _chantal; printf "%s\\n" "\${COMPREPLY[@]}"`,
    ].join('\n')
    const offered = execFileSync('bash', ['-c', script], { encoding: 'utf8' }).trim().split('\n')

    expect(offered).toContain(expected)
  })
})

describe('the process', () => {
  const program = (...args: readonly string[]) =>
    `exec "${process.execPath}" "${main}" --config "${path.join(line.folder, 'config.yaml')}" ${args.join(' ')}`

  it('is silent where its reader has seen enough', () => {
    const { status, stdout, stderr } = spawnSync(
      'bash',
      ['-c', `set -o pipefail; (${program('config', 'schema')}) | head -c 1; echo " $?"`],
      { encoding: 'utf8' },
    )

    expect([status, stdout, stderr]).toEqual([0, '{ 0\n', ''])
  })

  it('takes NO_COLOR and a dumb terminal at their word', () => {
    const { stderr, status } = spawnSync('bash', ['-c', program('repo', 'show', 'nope')], {
      encoding: 'utf8',
      env: { ...process.env, NO_COLOR: '1' },
    })

    expect(status).toBe(3)
    expect(stderr).not.toContain('\u001b[')
  })
})

describe('starting', () => {
  it('loads, for help and version, neither use cases nor the catalog nor the schema library', async () => {
    const { metafile } = await build({
      absWorkingDir: root,
      entryPoints: ['src/main.ts'],
      outdir: path.join(folder, 'dist'),
      bundle: true,
      splitting: true,
      format: 'esm',
      platform: 'node',
      packages: 'bundle',
      external: ['@napi-rs/lzma', 'pg-native', 'openpgp', 'pg', 'pg-cursor', 'undici'],
      metafile: true,
      write: false,
    })
    const entry = Object.entries(metafile.outputs).find(
      ([, { entryPoint }]) => entryPoint === 'src/main.ts',
    )?.[0]
    const loaded = new Set<string>()
    const visit = (output: string | undefined) => {
      const chunk = output === undefined ? undefined : metafile.outputs[output]
      if (!chunk || output === undefined || loaded.has(output)) return
      loaded.add(output)
      for (const { path, kind, external } of chunk.imports) {
        if (kind === 'import-statement' && !external) visit(path)
      }
    }
    visit(entry)
    const inputs = [...loaded].flatMap((output) => Object.keys(metafile.outputs[output]?.inputs ?? {}))

    expect(inputs).toContain('src/cli/cli.ts')
    expect(
      inputs.filter((input) => input.includes('node_modules') && !input.includes('node_modules/commander/')),
    ).toEqual([])
    expect(
      inputs.filter((input) => /^src\/(?!cli\/|core\/|(main|heap-growth|standard-output)\.ts)/.test(input)),
    ).toEqual([])
    expect(inputs.filter((input) => input.startsWith('src/cli/shapes/'))).toEqual([])
  })
})

describe('help', () => {
  it.each(leafCommands(documentationProgram()).map((command) => fullName(command).slice('chantal '.length)))(
    'on %s has a description, and an example',
    async (command) => {
      const { status, stdout } = await line.runBare([...command.split(' '), '--help'])

      expect(status).toBe(0)
      expect(stdout).toMatch(/^Usage: chantal .+\n\n\S/)
      if (command !== 'help') expect(stdout).toContain(`Example: chantal ${command}`)
    },
  )

  it('tells the version', async () => {
    expect(await line.runBare(['--version'])).toMatchObject({ status: 0, stdout: '1.2.3\n' })
  })
})
