import { expect, it } from 'vitest'
import { openAptSite } from '../../../tests/support/apt-site.ts'
import { aptDates, aptFiles, startAptUpstream } from '../../../tests/support/apt-upstream.ts'
import { publishSource } from '../../app/publish/publish-source.ts'

const signal = new AbortController().signal

it.each([
  ['mirror', 'is warned of', 2],
  ['filtered', 'needs no warning', 0],
])('to go back in a tree of mode %s %s', async (mode, _, count) => {
  await using upstream = await startAptUpstream(aptFiles('v1'))
  await using site = await openAptSite(upstream.url, { now: aptDates.v2 })
  const showAsProduction = (source: string) =>
    publishSource(site.context, { source, as: 'production', force: false }, signal)
  for (const state of ['v1', 'v2'] as const) {
    upstream.show(aptFiles(state))
    await site.sync(mode)
    await site.publish(mode)
    await site.snapshot(`${mode}@${state}`)
    await showAsProduction(`${mode}@${state}`)
  }
  const forward = site.warnings('OLDER_VERBATIM_TREE')

  await showAsProduction(`${mode}@v1`)
  await site.rollBack(`repositories/${mode}/latest`)

  expect(forward).toEqual([])
  expect(site.warnings('OLDER_VERBATIM_TREE')).toHaveLength(count)
  for (const warning of site.warnings('OLDER_VERBATIM_TREE')) expect(warning).toContain('mode: filtered')
})
