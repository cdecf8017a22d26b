import { expect, it } from 'vitest'
import { loadText } from './temporary-configuration.ts'

const apt = (rest: string) => `repositories: [{id: a, type: apt, feed: https://a/, ${rest}}]`

it('refuses an option that does nothing in the repository’s mode', async () => {
  await expect(loadText(apt('apt: {suites: [x], release: {origin: us}}'))).rejects.toThrow(
    '"release" does nothing in mode mirror',
  )
})

it('takes it in the modes that it is for', async () => {
  const { settings } = await loadText(apt('mode: filtered, apt: {suites: [x], release: {origin: us}}'))

  expect(settings.repositories).toMatchObject([{ options: { release: { origin: 'us' } } }])
})

it('refuses a filter by build time where upstream states none', async () => {
  const filters = 'filters: {metadata: {build_time: {last_n_days: 3}}}'

  await expect(loadText(apt(`apt: {suites: [x]}, ${filters}`))).rejects.toThrow(
    'APT repositories do not say when packages were built',
  )
})
