import { describe, expect, it } from 'vitest'
import type { RepositorySettings } from '../../config/settings.ts'
import { ChantalError } from '../../core/errors.ts'
import { parseRelativePath } from '../../core/path.ts'
import { judgeFailures } from './judge-failures.ts'

describe('what upstream lists and has not', () => {
  it.each([
    ['fail', false, 3, expect.stringContaining('set `on_missing: skip`')],
    ['fail', true, 3, expect.not.stringContaining('on_missing')],
    ['skip', true, 3, expect.not.stringContaining('on_missing')],
    ['skip', true, 3, expect.stringContaining('`mode: filtered`')],
    ['fail', false, 0, expect.stringContaining('Check the feed')],
  ] as const)(
    'has a hint at what can help and is not set: on_missing %s, required %s, %s other packages',
    (onMissing, isRequired, others, hint) => {
      const path = parseRelativePath('a')
      const file = { path, location: 'a', expect: { checksums: [], maxSize: 1 }, isRequired }
      const failed = [{ file, url: 'https://example.org/a', error: new ChantalError('NOT_FOUND', 'no a') }]
      const settings = { id: 'some', onMissing } as RepositorySettings
      const arriving = isRequired ? [] : [{ files: [file] as const }]

      const judge = () =>
        judgeFailures(failed, { settings, listed: 1 + others, arriving, reporter: { report: () => {} } })

      expect(judge).toThrow(expect.objectContaining({ code: 'SYNC_INCOMPLETE', hint }))
    },
  )
})
