import { expect, it } from 'vitest'
import type { PackageKey, UpstreamPackage } from './model.ts'
import { planSync } from './plan.ts'

const keyOf = (name: string) => name as PackageKey
const listed = (name: string, identity: string) => ({ key: keyOf(name), identity }) as UpstreamPackage
const unchanged = (name: string) => ({ key: keyOf(name), isUnchanged: true }) as const
const held = new Map(['a', 'b', 'c', 'd'].map((name) => [keyOf(name), { key: keyOf(name), identity: 'old' }]))

it('tells what comes, what is replaced, what goes, and what stays, read or not', () => {
  const upstream = [listed('new', 'new'), unchanged('d'), listed('b', 'new'), listed('a', 'old')]

  const plan = planSync(upstream, held)

  expect(plan).toEqual({
    unchanged: 2,
    added: [upstream[0]],
    replaced: [upstream[2]],
    removed: ['c'],
  })
})

it('takes nothing for unchanged that is not held', () => {
  expect(() => planSync([unchanged('e')], held)).toThrow('e is unchanged, and not held')
})
