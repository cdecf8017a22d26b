import { X509Certificate } from 'node:crypto'
import { expect, it } from 'vitest'
import { findEntitlement } from './entitlement.ts'
import { loadText } from './temporary-configuration.ts'

const folder = `${import.meta.dirname}/fixtures/entitlement`

it('takes the valid pair that expires last', async () => {
  const found = await findEntitlement(folder, new Date('2030-01-01'))

  expect('certificate' in found && new X509Certificate(found.certificate).subject).toBe('CN=1003')
  expect('key' in found && found.key).toContain('PRIVATE KEY')
})

it.each([
  ['before any is valid', folder, '2020-01-01', 'no SERIAL.pem'],
  ['after all have expired', folder, '2060-01-01', 'no unexpired SERIAL.pem'],
  ['where there is no folder', `${folder}/missing`, '2030-01-01', 'cannot read the folder'],
])('says why there is none %s', async (_, from, now, problem) => {
  expect(await findEntitlement(from, new Date(now))).toEqual({ problem: expect.stringContaining(problem) })
})

it('is the client certificate of a repository that names the folder', async () => {
  const { settings } = await loadText(
    `repositories: [{id: a, type: rpm, feed: https://a/, auth: {type: client_cert, cert_dir: ${folder}}}]`,
  )

  // Loaded for June 2026, months before any of them is valid.
  expect(settings.repositories[0]?.problems[0]?.message).toContain('no SERIAL.pem')
})
