import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { describeWith } from '../../../tests/clients/requirements.ts'
import { compareDebVersions } from './version.ts'

const corpus = '../shared/corpus/versions/dpkg.tsv'
const hasCorpus = existsSync(corpus)

const signs: Readonly<Record<string, number>> = { '<': -1, '=': 0, '>': 1 }

/** Asks the real dpkg for all pairs in one shell. */
function realOrders(pairs: readonly (readonly [string, string])[]): readonly number[] {
  const script = `while read -r a b; do
    if dpkg --compare-versions "$a" lt "$b"; then echo -1
    elif dpkg --compare-versions "$a" eq "$b"; then echo 0
    elif dpkg --compare-versions "$a" gt "$b"; then echo 1
    else echo "dpkg refused $a or $b" >&2; exit 1; fi
  done`
  const input = pairs.map((pair) => `${pair.join(' ')}\n`).join('')
  const result = spawnSync('sh', ['-c', script], { encoding: 'utf8', input })
  if (result.status !== 0) throw new Error(`dpkg failed: ${result.stderr}`)
  return result.stdout.trim().split(/\s+/).map(Number)
}

const part = fc.string({ unit: fc.constantFrom(...'0019abzAZ.~+'), minLength: 0, maxLength: 10 })
const epoch = fc.option(fc.oneof(fc.nat(20), fc.constant('007')))
/** Of the form that dpkg accepts without a word. */
const version = fc
  .tuple(epoch, fc.nat(20), part, fc.option(fc.tuple(fc.constantFrom('0', '1', 'a', '~', '+'), part)))
  .map(([number, first, rest, revision]) =>
    [number === null ? '' : `${number}:`, first, rest, revision === null ? '' : `-${revision.join('')}`].join(
      '',
    ),
  )
/** Of any form. */
const oddVersion = fc.oneof(
  version,
  fc.string({ unit: fc.constantFrom(...'01aZ.~+-: é_'), maxLength: 12 }),
  fc.string(),
)

describe('compareDebVersions', () => {
  const rows = (hasCorpus ? readFileSync(corpus, 'utf8') : '')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => line.split('\t'))

  it.skipIf(!hasCorpus)("agrees with dpkg's and apt's own test tables (skipped: no corpus)", () => {
    expect(rows.length).toBeGreaterThan(100)
    for (const [a = '', sign = '', b = ''] of rows) {
      expect([a, b, compareDebVersions(a, b)]).toEqual([a, b, signs[sign]])
      expect([b, a, compareDebVersions(b, a)]).toEqual([b, a, 0 - (signs[sign] ?? Number.NaN)])
    }
  })

  it.each([
    ['1.0~rc1-1', '<', '1.0-1'],
    ['1.0~~', '<', '1.0~'],
    ['1.0~', '<', '1.0'],
    ['1.0', '<', '1.0a'],
    ['1.0a', '<', '1.0+'],
    ['1.0+b1', '<', '1.0.1'],
    ['1.0Z', '<', '1.0a'],
    ['1.9', '<', '1.10'],
    ['1.002', '=', '1.2'],
    ['1:0.9', '>', '2.0'],
    ['0:1.0', '=', '1.0'],
    ['007:1', '=', '7:1'],
    ['1.0', '=', '1.0-0'],
    ['1.0-0', '<', '1.0-0ubuntu1'],
    ['1.0-1~bpo12+1', '<', '1.0-1'],
    ['1.0-1', '<', '1.0-1+b1'],
    ['1.0-rc-1', '>', '1.0-1'],
    ['1.0-1', '>', '1.0~rc-2'],
    [`1.${'9'.repeat(400)}`, '<', `1.1${'0'.repeat(400)}`],
    [`${'0'.repeat(400)}7`, '=', '7'],
    ['18446744073709551617', '>', '18446744073709551616'],
    ['99999999999999999999:1', '>', '2:1'],
    ['', '<', '0~'],
    [' 1.0 ', '=', '1.0'],
    ['1.0-', '=', '1.0'],
    [':1', '>', '1'],
    ['a:1', '<', 'b:0'],
    ['é', '>', 'z'],
  ])('orders %s %s %s', (a, sign, b) => {
    expect(compareDebVersions(a, b)).toBe(signs[sign])
  })

  it('is a total order: antisymmetric and transitive', () => {
    fc.assert(
      fc.property(oddVersion, oddVersion, oddVersion, (a, b, c) => {
        expect(compareDebVersions(a, a)).toBe(0)
        expect(compareDebVersions(a, b) + compareDebVersions(b, a)).toBe(0)
        const [x = '', y = '', z = ''] = [a, b, c].toSorted(compareDebVersions)
        expect(compareDebVersions(x, y)).toBeLessThanOrEqual(0)
        expect(compareDebVersions(y, z)).toBeLessThanOrEqual(0)
        expect(compareDebVersions(x, z)).toBeLessThanOrEqual(0)
      }),
      { numRuns: 3000 },
    )
  })

  it('has equals behave equally', () => {
    fc.assert(
      fc.property(version, version, (a, b) => {
        const same = `0:${/^\d+:/.test(a) ? a.replace(/^\d+:/, '') : a}`
        const bare = same.slice(2)
        expect(compareDebVersions(same, b)).toBe(compareDebVersions(bare, b))
      }),
    )
  })
})

describeWith(['dpkg'], 'beside the installed dpkg', () => {
  it('orders as it does, whatever the versions', () => {
    const pairs = fc.sample(fc.tuple(version, version), { numRuns: 400, seed: 20_261_125 })
    const close = pairs.map(([a]): readonly [string, string] => [a, a.replace(/\d(?=\D*$)/, '~$&')])
    const asked = [...pairs, ...close.slice(0, 100)]

    expect(asked.map(([a, b]) => compareDebVersions(a, b))).toEqual(realOrders(asked))
  }, 60_000)

  it('orders versions of installed packages as it does', () => {
    const listed = spawnSync('dpkg-query', ['-W', '-f', '${Version}\\n'], { encoding: 'utf8' })
    const versions = [...new Set(listed.stdout.trim().split('\n'))].slice(0, 300)
    const pairs = versions.slice(1).map((b, at): readonly [string, string] => [versions[at] ?? '', b])

    expect(pairs.map(([a, b]) => compareDebVersions(a, b))).toEqual(realOrders(pairs))
  }, 60_000)
})
