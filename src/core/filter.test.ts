import { describe, expect, it } from 'vitest'
import { type FilterSettings, wantsGeneric } from './filter.ts'
import type { PackageKey, UpstreamPackage } from './model.ts'
import { parseRelativePath } from './path.ts'

const none: FilterSettings = {
  any: false,
  patterns: { include: [], exclude: [] },
  architectures: { include: null, exclude: [] },
  size: { min: null, max: null },
  buildTime: { newerThan: null, olderThan: null, lastDays: null },
  keepNewest: null,
  ecosystem: null,
}
const now = new Date('2026-06-30T00:00:00Z')

function packageWith(facts: Partial<UpstreamPackage>, size: number | null = 100): UpstreamPackage {
  const expect = { checksums: [], maxSize: 1, ...(size !== null && { size }) }
  return {
    key: 'nginx' as PackageKey,
    name: 'nginx',
    version: '1',
    architecture: 'x86_64',
    builtAt: new Date('2026-06-01T00:00:00Z'),
    attributes: {},
    versionGroup: 'nginx',
    identity: '',
    files: [{ path: parseRelativePath('nginx.rpm'), location: 'nginx.rpm', expect }],
    ...facts,
  }
}

describe('the shared filters', () => {
  it.each<[string, Partial<FilterSettings>, UpstreamPackage, boolean]>([
    ['keeps everything without filters', {}, packageWith({}), true],
    [
      'searches a name, not the whole of it',
      { patterns: { include: [/gin/], exclude: [] } },
      packageWith({}),
      true,
    ],
    [
      'leaves out what no pattern includes',
      { patterns: { include: [/^apache/], exclude: [] } },
      packageWith({}),
      false,
    ],
    ['lets exclusion win', { patterns: { include: [/nginx/], exclude: [/x$/] } }, packageWith({}), false],
    [
      'keeps a listed architecture',
      { architectures: { include: ['x86_64'], exclude: [] } },
      packageWith({}),
      true,
    ],
    ['leaves out another', { architectures: { include: ['noarch'], exclude: [] } }, packageWith({}), false],
    [
      'leaves out an excluded one',
      { architectures: { include: null, exclude: ['x86_64'] } },
      packageWith({}),
      false,
    ],
    [
      'keeps what has no architecture',
      { architectures: { include: ['noarch'], exclude: [] } },
      packageWith({ architecture: null }),
      true,
    ],
    ['counts the ends of a size in', { size: { min: 100, max: 100 } }, packageWith({}), true],
    ['leaves out what is larger', { size: { min: null, max: 99 } }, packageWith({}), false],
    ['leaves out an unknown size', { size: { min: null, max: 99 } }, packageWith({}, null), false],
    [
      'keeps what is new enough',
      { buildTime: { newerThan: null, olderThan: null, lastDays: 29 } },
      packageWith({}),
      true,
    ],
    [
      'leaves out what is too old',
      { buildTime: { newerThan: null, olderThan: null, lastDays: 28 } },
      packageWith({}),
      false,
    ],
    [
      'takes the later of two bounds',
      { buildTime: { newerThan: new Date('2026-06-02'), olderThan: null, lastDays: 90 } },
      packageWith({}),
      false,
    ],
    [
      'leaves out what is too new',
      { buildTime: { newerThan: null, olderThan: new Date('2026-05-01'), lastDays: null } },
      packageWith({}),
      false,
    ],
    [
      'leaves out an unknown build time',
      { buildTime: { newerThan: new Date(0), olderThan: null, lastDays: null } },
      packageWith({ builtAt: null }),
      false,
    ],
  ])('%s', (_, filters, pkg, expected) => {
    expect(wantsGeneric({ ...none, ...filters }, now)(pkg)).toBe(expected)
  })

  it('keeps what fits every machine, unless it is excluded by name', () => {
    const pkg = packageWith({ architecture: 'all' })
    const only = (exclude: readonly string[]) => ({ ...none, architectures: { include: ['amd64'], exclude } })

    expect(wantsGeneric(only([]), now, ['all'])(pkg)).toBe(true)
    expect(wantsGeneric(only(['all']), now, ['all'])(pkg)).toBe(false)
    expect(wantsGeneric(only([]), now)(pkg)).toBe(false)
  })

  it('gives the same answer each time for a pattern with state', () => {
    const wants = wantsGeneric({ ...none, patterns: { include: [/nginx/g], exclude: [] } }, now)

    expect([wants(packageWith({})), wants(packageWith({}))]).toEqual([true, true])
  })
})
