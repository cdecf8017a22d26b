import { expect, it } from 'vitest'
import { aptOptions, optionMistakes } from './options.ts'

it.each([
  [{ suites: ['./'], components: ['main'] }, 'components', 'a flat repository has no components'],
  [{ suites: ['nest/', './nest/'] }, 'suites', 'the same suite twice'],
  [{ suites: ['./', '/'] }, 'suites', 'the same suite twice'],
  [{ suites: ['a'], architectures: ['amd64', 'source'] }, 'architectures.1', '"sources: true"'],
  [{ suites: ['a', 'b'], release: { codename: 'c' } }, 'release', 'cannot hold for several suites'],
  [{ suites: ['a'], release: { but_automatic_upgrades: true, not_automatic: false } }, 'release', 'nothing'],
  [{ suites: ['a'], release: { valid_days: 0 } }, 'release.valid_days', '>=1'],
  // A date so far away cannot be written.
  [{ suites: ['a'], release: { valid_days: 9_999_999_999 } }, 'release.valid_days', '<=36500'],
])('refuses what means nothing: %j', (options, path, problem) => {
  const { error } = aptOptions.safeParse(options)

  expect(error?.issues.map((issue) => [issue.path.join('.'), issue.message])).toEqual([
    [path, expect.stringContaining(problem)],
  ])
})

it.each([
  [{ suites: ['./', 'stable'], components: ['main'] }],
  [{ suites: ['nest', 'nest/'] }],
  [{ suites: ['a', 'b'], release: { origin: null, valid_days: 7 } }],
])('takes %j', (options) => {
  expect(aptOptions.safeParse(options).success).toBe(true)
})

it('refuses flat suites of a hosted repository, which nothing can be uploaded to', () => {
  const options = aptOptions.parse({ suites: ['stable', './'] })

  expect(optionMistakes(options, 'hosted')).toEqual([
    { path: ['suites', 1], problem: expect.stringContaining('"./" is flat'), hint: expect.any(String) },
  ])
  expect(optionMistakes(options, 'filtered')).toEqual([])
})
