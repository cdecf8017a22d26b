import { expect, it } from 'vitest'
import { generationName, nextPublishTime } from './publish-time.ts'

it.each([
  ['2026-11-23T10:00:00.900Z', null, '20261123T100000Z-1'],
  ['2026-11-23T10:00:01.000Z', '2026-11-23T10:00:00Z', '20261123T100001Z-1'],
  ['2026-11-23T10:00:00.900Z', '2026-11-23T10:00:00Z', '20261123T100001Z-1'],
  ['2026-11-23T08:00:00.000Z', '2026-11-23T10:00:00Z', '20261123T100001Z-1'],
])('at %s, after %s, comes %s', (now, last, name) => {
  expect(generationName(nextPublishTime(new Date(now), last === null ? null : new Date(last)), 1)).toBe(name)
})
