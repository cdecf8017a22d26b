import { readdir, readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { gunzipSync } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { CommandLine } from '../support/command-line.ts'

let line: CommandLine

beforeAll(async () => {
  line = await CommandLine.open()
  await line.run('repo sync demo')
  await line.run('snapshot create demo@first --description why')
})
afterAll(() => line[Symbol.asyncDispose]())

const at = (name: string) => join(line.folder, name)

describe('db export', () => {
  it('writes a file for its owner alone, and says what is in it', async () => {
    const { status, stdout } = await line.run(['db', 'export', at('catalog.json')])

    const { size, mode } = await stat(at('catalog.json'))
    expect([status, stdout.replace(/\(.*?\)/, '()')]).toEqual([
      0,
      `exported 1 repository to ${at('catalog.json')} (): 1 revision, 1 snapshot, 6 packages\n`,
    ])
    expect(mode & 0o777).toBe(0o600)
    expect(JSON.parse(await readFile(at('catalog.json'), 'utf8')).items.at(-1)).toEqual({
      type: 'end',
      repositories: 1,
      view_snapshots: 0,
    })
    expect(size).toBeGreaterThan(1000)
  })

  it('replaces a file only where it may, and leaves nothing beside it', async () => {
    await writeFile(at('there.yaml'), 'before')

    const refused = await line.run(['db', 'export', at('there.yaml')])
    const before = await readFile(at('there.yaml'), 'utf8')
    const forced = await line.run(['db', 'export', at('there.yaml'), '--force'])

    expect([refused.status, refused.stderr]).toEqual([4, expect.stringContaining('is there already')])
    expect([before, forced.status]).toEqual(['before', 0])
    expect((await readdir(line.folder)).filter((name) => name.startsWith('.'))).toEqual([])
  })

  it('writes to standard output nothing but the export', async () => {
    const { bytes, stdout, stderr } = await line.run('db export - --as json.gz')
    const plain = await line.run('db export -')

    expect([stdout, stderr]).toEqual(['', ''])
    expect(gunzipSync(bytes).equals(plain.bytes)).toBe(true)
  })

  it.each([
    [
      'db export catalog.tar',
      2,
      'the name "catalog.tar" says no format\nhint: Use a name that ends in .json',
    ],
    ['db export x --as xml', 2, 'Allowed choices are json, yaml, json.gz'],
    ['db export - dmeo', 3, 'the catalog has no repository "dmeo"\nhint: Did you mean "demo"?'],
    ['db export /nowhere/catalog.json', 70, 'cannot write /nowhere/catalog.json'],
  ])('refuses `%s` with %i', async (command, expected, message) => {
    const { status, stderr } = await line.run(command)

    expect(status).toBe(expected)
    expect(stderr).toContain(message)
  })
})

describe('db import', () => {
  it('makes of an export what there was, beside an empty pool', async () => {
    await using other = await CommandLine.open()
    const { bytes } = await line.run('db export - --as yaml')
    await writeFile(join(other.folder, 'catalog.yaml'), bytes)

    const first = await other.run(['db', 'import', join(other.folder, 'catalog.yaml')])
    const again = await other.run('db import -', { input: bytes })
    const missing = await other.run('pool verify --repair --json')
    const listed = await other.run('snapshot list')
    const exported = await other.run('db export - --as yaml')

    const marker = JSON.parse(await readFile(join(other.folder, 'data/pool/chantal-pool.json'), 'utf8'))
    expect(first.stdout.replace(/\(\d.* kB\)/, '()')).toBe(
      `this catalog is ${marker.catalog} now\ndemo: added (1 revision, 1 snapshot, 6 packages)\nthe pool lacks 15 blobs of them ()\n`,
    )
    expect([again.status, again.stdout]).toEqual([0, 'demo: is there already, and equal\n'])
    expect(JSON.parse(missing.stdout)).toMatchObject({ repaired: 15 })
    expect(listed.stdout).toContain('demo@first')
    expect(exported.bytes.equals(bytes)).toBe(true)
  })

  it('refuses another repository of the same id, for people and machines', async () => {
    await using other = await CommandLine.open()
    await other.run('repo sync demo')
    const { bytes } = await line.run('db export - demo')

    const people = await other.run('db import -', { input: bytes })
    const machines = await other.run('db import - --json', { input: bytes })

    expect([people.status, people.stdout]).toEqual([4, 'demo: not imported, there is another\n'])
    expect(people.stderr).toMatch(/^error: not imported.*: demo\nhint: .*\nALREADY_EXISTS\n$/)
    expect(machines.status).toBe(4)
    expect(JSON.parse(machines.stdout)).toMatchObject({ repositories: [{ id: 'demo', status: 'refused' }] })
  })

  it.each([
    ['nothing', '', 'line 1: nothing is there'],
    ['a configuration', 'repositories: []\n', 'line 1: not an export'],
    [
      'what is cut off',
      '{"chantal_export":1,"catalog":null,"items":[\n{"type"',
      'line 2: not a JSON document',
    ],
  ])('says of %s what is wrong with it, and where', async (_, text, message) => {
    const { status, stderr } = await line.run('db import -', { input: Buffer.from(text) })

    expect(status).toBe(2)
    expect(stderr).toContain(message)
    expect(stderr).toMatch(/\nIMPORT_INVALID\n$/)
  })

  it('says that there is no such file', async () => {
    const { status, stderr } = await line.run('db import nowhere.json')

    expect([status, stderr]).toEqual([3, expect.stringContaining('no file nowhere.json')])
  })
})
