import { spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compareRpmVersions, parseEvr, rpmvercmp } from './version.ts'

const corpus = '../shared/corpus/versions'
const hasCorpus = existsSync(corpus)
const hasRpm = spawnSync('rpm', ['--version']).status === 0

const signs: Readonly<Record<string, number>> = { '<': -1, '=': 0, '>': 1 }

/** Asks the real rpm for all pairs in one process. */
function realOrders(pairs: readonly (readonly [string, string])[]): readonly number[] {
  const calls = pairs.map(([a, b]) => `print(rpm.vercmp([[${a}]], [[${b}]]) .. "\\n")`).join(' ')
  const result = spawnSync('rpm', ['--eval', `%{lua: ${calls}}`], { encoding: 'utf8' })
  if (result.status !== 0) throw new Error(`rpm failed: ${result.stderr}`)
  return result.stdout.trim().split(/\s+/).map(Number)
}

const segment = fc.string({
  unit: fc.constantFrom(...'0019abzAZ.~^_+é'),
  minLength: 1,
  maxLength: 12,
})
const evr = fc
  .tuple(fc.option(fc.nat(20)), segment, fc.option(segment))
  .map(([epoch, version, release]) =>
    [epoch === null ? '' : `${epoch}:`, version, release === null ? '' : `-${release}`].join(''),
  )

describe('rpmvercmp', () => {
  const tables = hasCorpus ? readdirSync(corpus).filter((name) => /^rpm.*\.tsv$/.test(name)) : []
  const rows = tables.flatMap((name) =>
    readFileSync(`${corpus}/${name}`, 'utf8')
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'))
      .map((line) => line.split('\t')),
  )

  it.skipIf(!hasCorpus)("agrees with rpm's own test table (skipped: no corpus)", () => {
    expect(rows.length).toBeGreaterThan(80)
    for (const [a = '', sign = '', b = ''] of rows) {
      expect([a, b, rpmvercmp(a, b)]).toEqual([a, b, signs[sign]])
    }
  })

  it.each([
    ['1.0', '<', '1.0^'],
    ['1.0~', '<', '1.0'],
    ['1.0^', '<', '1.0a'],
    ['1.0.', '=', '1.0'],
    ['1é0', '=', '1.0'],
    ['é', '=', ''],
    ['00000', '=', '0'],
    [`1${'0'.repeat(400)}`, '>', '9'.repeat(400)],
    [`${'0'.repeat(400)}7`, '=', '7'],
    ['18446744073709551617', '>', '18446744073709551616'],
  ])('orders %s %s %s', (a, sign, b) => {
    expect(rpmvercmp(a, b)).toBe(signs[sign])
  })

  it('never throws, is antisymmetric and reflexive', () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), (a, b) => {
        expect(rpmvercmp(a, b) + rpmvercmp(b, a)).toBe(0)
        expect(rpmvercmp(a, a)).toBe(0)
      }),
    )
  })
})

describe('compareRpmVersions', () => {
  it.each([
    ['1:0.9-1', '>', '2.0-1'],
    ['0:1.0-1', '=', '1.0-1'],
    [':1.0-1', '=', '1.0-1'],
    ['1.0-9.el9', '<', '1.0-10.el9'],
    ['1.0', '<', '1.0-0'],
    ['1.0', '<', '1.0-~'],
    ['1.0~rc1-5', '<', '1.0-1'],
    ['007:1', '=', '7:1'],
    ['99999999999999999999:1', '>', '2:1'],
  ])('orders %s %s %s', (a, sign, b) => {
    expect(compareRpmVersions(a, b)).toBe(signs[sign])
  })

  it.skipIf(!hasRpm)('agrees with the installed rpm (skipped: no rpm command)', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(evr, evr), { minLength: 150, maxLength: 200 }), (pairs) => {
        expect(pairs.map(([a, b]) => compareRpmVersions(a, b))).toEqual(realOrders(pairs))
      }),
      { numRuns: 20 },
    )
  })

  it('is a total order: antisymmetric and transitive', () => {
    fc.assert(
      fc.property(evr, evr, evr, (a, b, c) => {
        expect(compareRpmVersions(a, b) + compareRpmVersions(b, a)).toBe(0)
        const [x, y, z] = [a, b, c].toSorted(compareRpmVersions)
        expect(compareRpmVersions(x ?? '', y ?? '')).toBeLessThanOrEqual(0)
        expect(compareRpmVersions(y ?? '', z ?? '')).toBeLessThanOrEqual(0)
        expect(compareRpmVersions(x ?? '', z ?? '')).toBeLessThanOrEqual(0)
      }),
      { numRuns: 2000 },
    )
  })
})

describe('parseEvr', () => {
  it.each([
    ['1:2-3', { epoch: '1', version: '2', release: '3' }],
    ['2-3-4', { epoch: '0', version: '2-3', release: '4' }],
    ['a:1-2', { epoch: '0', version: 'a:1', release: '2' }],
    [':1', { epoch: '0', version: '1', release: null }],
    ['', { epoch: '0', version: '', release: null }],
    ['1:', { epoch: '1', version: '', release: null }],
  ])('splits %j', (text, expected) => {
    expect(parseEvr(text)).toEqual(expected)
  })
})
