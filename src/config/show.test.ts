import { expect, it } from 'vitest'
import * as z from 'zod'
import { configurationJsonSchema, showConfiguration } from './show.ts'
import { ecosystemsForTests, loadText } from './temporary-configuration.ts'

const secretive = `
database: {url: 'postgresql://u:hunter2@db/x'}
proxy: {http_proxy: 'http://u:hunter2@proxy:3128', https_proxy: 'u:hunter2@proxy:3128', password: hunter2}
signing: {key_file: /missing.asc, passphrase: '\${SECRET}'}
repositories:
  - {id: a, type: rpm, feed: 'https://u:hunter2@a/x', auth: {type: client_cert, cert: /c.pem, key: /k.pem}}
  - {id: b, type: rpm, feed: 'https://b/?token=hunter2', auth: {type: basic, username: u, password: hunter2}}
  - {id: c, type: rpm, feed: 'https://c/', auth: {type: bearer, token: hunter2}}
  - {id: d, type: rpm, feed: 'https://d/', auth: {type: headers, headers: {X-Any: hunter2, X-File: {file: /f}}}}
`

it.each([true, false])('shows no secret, resolved: %s', async (resolved) => {
  const shown = JSON.stringify(
    showConfiguration(await loadText(secretive, { SECRET: 'hunter2' }), { resolved }),
  )

  expect(shown).not.toContain('hunter2')
  expect(shown).toContain('"passphrase":"(secret)"')
  expect(shown).toContain('"url":"postgresql://(secret)@db/x"')
  expect(shown).toContain('"key":"/k.pem"')
  expect(shown).toContain('"X-Any":"(secret)"')
  expect(shown).toContain('"file":"/f"')
})

it('fills in defaults where asked', async () => {
  const configuration = await loadText(
    'download: {retries: 1}\nrepositories: [{id: a, type: apt, feed: "https://a/", apt: {suites: [x]}}]',
  )

  expect(showConfiguration(configuration, { resolved: false })).toEqual({
    download: { retries: 1 },
    repositories: [{ id: 'a', type: 'apt', feed: 'https://a/', apt: { suites: ['x'] } }],
  })
  expect(showConfiguration(configuration, { resolved: true })).toMatchObject({
    database: { url: 'sqlite:////var/lib/chantal/chantal.db' },
    storage: { pool_path: '/var/lib/chantal/pool' },
    download: { retries: 1, timeout: '30s', per_host: 8 },
    publish: { keep_generations: 3, grace: '6h' },
    repositories: [{ mode: 'mirror', enabled: true, on_missing: 'fail', apt: { components: ['main'] } }],
  })
})

it('describes every key in its JSON Schema, those of all ecosystems included', () => {
  const schema = configurationJsonSchema(ecosystemsForTests)
  const nameless: string[] = []
  const visit = (part: unknown, path: string): void => {
    if (typeof part !== 'object' || part === null) return
    for (const [key, value] of Object.entries(part)) {
      if (key === 'properties' && typeof value === 'object' && value !== null) {
        for (const [name, property] of Object.entries(value)) {
          if (!Object.keys(property ?? {}).some((fact) => ['description', 'const'].includes(fact)))
            nameless.push(`${path}.${name}`)
        }
      }
      visit(value, `${path}.${key}`)
    }
  }
  visit(schema, '')

  expect(schema['$schema']).toBe('https://json-schema.org/draft/2020-12/schema')
  expect(nameless).toEqual([])
})

it('refuses in its JSON Schema what loading refuses', () => {
  const schema = z.fromJSONSchema(JSON.parse(JSON.stringify(configurationJsonSchema(ecosystemsForTests))))

  expect(schema.safeParse({ stroage: {} }).success).toBe(false)
  expect(schema.safeParse({ repositories: [{ id: 'a', type: 'rpm', mirorlist: 'x' }] }).success).toBe(false)
})
