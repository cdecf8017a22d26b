import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { CommandLine } from '../support/command-line.ts'
import { signingKey } from '../support/site.ts'

/** Of the demonstration's packages. */
const demoKey = 'A5CB1D6CBAE43A1CA298D54F5BE3155C3EA9B365'
const demoKeyId = demoKey.slice(-16)

let line: CommandLine
let stranger: string

beforeAll(async () => {
  line = await CommandLine.open()
  stranger = (await signingKey()).publicKey
})
afterAll(() => line[Symbol.asyncDispose]())

const configure = (...repositories: readonly object[]) =>
  line.configure({
    storage: { base_path: 'data' },
    repositories: repositories.map((each) => ({
      type: 'rpm',
      feed: `file://${line.folder}/upstream/`,
      ...each,
    })),
  })

describe('signatures of packages', () => {
  it('are shown with their key, of a package and of all that a snapshot holds', async () => {
    await configure(
      { id: 'demo', verify: { keys: ['key.asc'] } },
      { id: 'loose', verify: { keys: [stranger], metadata: 'off', packages: 'warn' } },
      { id: 'plain' },
    )
    await line.run('repo sync --all')
    for (const id of ['demo', 'loose', 'plain']) await line.run(`snapshot create ${id}@one`)

    const shown = await line.run('content show demo-hello')
    const contents = await Promise.all(
      ['demo', 'loose', 'plain'].map(async (id) => {
        const { stdout } = await line.run(`snapshot content ${id}@one --json`)
        return JSON.parse(stdout)[0].signature
      }),
    )

    // What was synced last is shown first.
    expect(shown.stdout.match(/^signature: .*$/gm)?.toSorted()).toEqual([
      `signature:       good, by key ${demoKey}`,
      `signature:       signed by a key that is not trusted (${demoKeyId})`,
    ])
    expect(contents).toMatchObject([
      { verdict: 'good', key: demoKey },
      { verdict: 'unknown-key', key: demoKeyId },
      null,
    ])
    expect((await line.run('snapshot content demo@one')).stdout).toContain(`good       ${demoKey}`)
  })

  it('are told of by what is configured, also where metadata is not checked', async () => {
    const rules = ['demo', 'loose', 'plain'].map(async (id) => {
      const { stdout } = await line.run(`repo show ${id}`)
      return stdout
        .match(/^(verified by|package signatures): +(.*)$/gm)
        ?.map((fact) => fact.replace(/: +/, ': '))
    })

    expect(await Promise.all(rules)).toEqual([
      [`verified by: ${demoKey}`, 'package signatures: required of every package'],
      [
        `verified by: nothing: upstream's metadata is not checked`,
        'package signatures: checked, and missing or bad ones warned of',
      ],
      [`verified by: nothing: upstream's metadata is not checked`, 'package signatures: not checked'],
    ])
  })

  it('are warned of with the name of the repository, once', async () => {
    const { stderr } = await line.run('repo sync --all --force')

    const warnings = stderr.split('\n').filter((each) => each.startsWith('warning: '))
    expect(warnings.map((each) => each.split(' ').slice(1, 2))).toEqual(
      warnings.map(() => [expect.stringMatching(/^(loose|plain):$/)]),
    )
    expect(warnings.filter((each) => each.split('plain: ').length > 2)).toEqual([])
    expect(warnings.length).toBeGreaterThanOrEqual(2)
  })

  it('by keys that are not trusted end a sync with 33, name the packages, and leave what is published', async () => {
    await configure({ id: 'demo', verify: { keys: ['key.asc'] } })
    await line.run('publish repo demo')
    const before = await line.run('publish list --json')
    await configure({ id: 'demo', verify: { keys: [stranger], metadata: 'off', packages: 'require' } })

    const { status, stderr } = await line.run('repo sync demo')
    const history = await line.run('repo history demo')

    expect(status).toBe(33)
    expect(stderr).toContain(
      `Packages/demo-hello-1.0-1.noarch.rpm (signed by a key that is not trusted (${demoKeyId}))`,
    )
    expect(stderr).toContain('hint: If you trust that key, add it to verify.keys.\nSIGNATURE_INVALID\n')
    expect(history.stdout.split('\n')[1]).toMatch(/demo +sync +failed +1 .*SIGNATURE_INVALID/)
    expect(await line.run('publish list --json')).toEqual(before)
  })
})

it('names what the configuration cannot use with its place on a line of its own', async () => {
  await configure({ id: 'demo', verify: { keys: ['nowhere.asc'] } })

  const { status, stderr } = await line.run('config check')

  expect(status).toBe(2)
  expect(stderr).toMatch(
    /^ {2}demo: .*nowhere.asc: there is no such file\n {4}config.yaml:\d+:\d+ {3}repositories/m,
  )
})
