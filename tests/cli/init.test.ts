import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { resultShapes } from '../../src/cli/shapes/results.ts'
import { loadConfiguration } from '../../src/config/load.ts'
import { ecosystems } from '../../src/ecosystems/registry.ts'
import { CommandLine } from '../support/command-line.ts'
import { signingKey } from '../support/site.ts'

let line: CommandLine

beforeAll(async () => {
  line = await CommandLine.open()
})
afterAll(() => line[Symbol.asyncDispose]())

const load = (file: string) =>
  loadConfiguration({
    file,
    environment: {},
    home: null,
    workingFolder: line.folder,
    ecosystems,
    now: new Date(),
  })

describe('init', () => {
  it('writes a configuration that loads, and a key that signs, and says what comes next', async () => {
    const { status, stdout } = await line.runBare(['init', 'fresh'])
    const folder = join(line.folder, 'fresh')
    const { settings } = await load('fresh/config.yaml')
    const checked = await line.runBare(['--config', 'fresh/config.yaml', 'config', 'check'])

    expect(status).toBe(0)
    expect((await readdir(folder)).sort()).toEqual(['config.yaml', 'signing-key.asc', 'signing-key.pub.asc'])
    expect((await stat(join(folder, 'signing-key.asc'))).mode & 0o777).toBe(0o600)
    expect(settings.storage.basePath).toBe(join(folder, 'data'))
    expect(checked).toMatchObject({ status: 0, stderr: '' })
    expect(stdout).toContain((await signingKey()).fingerprint)
    expect(stdout).toContain(`chantal --config ${folder}/config.yaml repo sync --all`)
  })

  it('has examples that load once the hashes are gone', async () => {
    await line.runBare(['init', 'examples'])
    const file = join(line.folder, 'examples/config.yaml')
    const text = await readFile(file, 'utf8')
    await writeFile(file, text.replaceAll(/^#(?= {2}|views:|$)/gm, ''))

    const { settings } = await load('examples/config.yaml')

    expect(settings.repositories.map(({ id, mode }) => `${id} ${mode}`)).toEqual([
      'epel9 mirror',
      'bookworm mirror',
      'tools hosted',
    ])
    expect(settings.views.map(({ name }) => name)).toEqual(['el9'])
    expect(settings.repositories[2]?.signing?.key).toBe((await signingKey()).privateKey)
  })

  it('never touches what is there', async () => {
    const folder = join(line.folder, 'old')
    await mkdir(folder)
    const files = { 'config.yaml': 'storage: { base_path: mine }\n', 'signing-key.asc': 'a key of mine' }
    for (const [name, text] of Object.entries(files)) await writeFile(join(folder, name), text)

    const { status, stdout } = await line.runBare(['init', 'old', '--json'])

    expect(status).toBe(0)
    expect(resultShapes['init']?.parse(JSON.parse(stdout))).toMatchObject({
      files: [
        { holds: 'configuration', status: 'kept' },
        { holds: 'signing_key', status: 'kept' },
      ],
      fingerprint: null,
    })
    expect((await readdir(folder)).sort()).toEqual(Object.keys(files).sort())
    for (const [name, text] of Object.entries(files))
      expect(await readFile(join(folder, name), 'utf8')).toBe(text)
  })

  it('makes the key that a configuration lacks, and says to name it there', async () => {
    const { status, stdout } = await line.run('init')

    expect(status).toBe(0)
    expect(stdout).toContain(`kept ${line.folder}/config.yaml`)
    expect(stdout).toContain('signing: { key_file: signing-key.asc }')
    expect(stdout).toContain('  chantal repo sync --all')
  })

  it('makes no second key beside a public one', async () => {
    await mkdir(join(line.folder, 'half'))
    await writeFile(join(line.folder, 'half/signing-key.pub.asc'), 'public')

    const { status, stderr } = await line.runBare(['init', 'half'])

    expect(status).toBe(4)
    expect(stderr).toMatch(/ALREADY_EXISTS\n$/)
    expect(await readdir(join(line.folder, 'half'))).toEqual(['signing-key.pub.asc'])
  })

  it.each([
    ['init here --config there.yaml', 2, 'name a configuration twice'],
    ['init config.yaml/below', 70, 'cannot write'],
  ])('`%s` ends with %i', async (command, expected, message) => {
    const { status, stderr } = await line.runBare(command.split(' '))

    expect(status).toBe(expected)
    expect(stderr).toContain(message)
  })

  it('takes where files are kept, and whose key it is', async () => {
    const { status } = await line.runBare([
      'init',
      'named',
      '--base-path',
      'elsewhere',
      '--name',
      'Us',
      '--email',
      'us@example.org',
    ])
    const { settings } = await load('named/config.yaml')

    expect(status).toBe(0)
    expect(settings.storage.basePath).toBe(join(line.folder, 'elsewhere'))
    expect(line.keyOwners.at(-1)).toEqual({ name: 'Us', email: 'us@example.org' })
  })
})
