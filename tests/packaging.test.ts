import { readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, it } from 'vitest'

const root = path.join(import.meta.dirname, '..')

interface LockedPackage {
  readonly optional?: boolean
  readonly engines?: Readonly<Record<string, string>>
  readonly optionalDependencies?: Readonly<Record<string, string>>
}

function lockedPackages(): Readonly<Record<string, LockedPackage>> {
  const lock: { readonly packages: Record<string, LockedPackage> } = JSON.parse(
    readFileSync(path.join(root, 'package-lock.json'), 'utf8'),
  )
  return lock.packages
}

it('installs native packages whatever Node runs npm', () => {
  const bound = Object.entries(lockedPackages()).filter(([, { optional, engines }]) => optional && engines)

  expect(
    bound.map(([name]) => name),
    'run node scripts/complete-lock.js',
  ).toEqual([])
})

it('keeps the packages of every platform in the lock file, as `npm ci` wants them', () => {
  const packages = lockedPackages()
  const locked = Object.keys(packages)
  const missing = Object.values(packages)
    .flatMap(({ optionalDependencies }) => Object.keys(optionalDependencies ?? {}))
    .filter((name) => !locked.some((place) => place.endsWith(`node_modules/${name}`)))

  expect(missing, 'run node scripts/complete-lock.js').toEqual([])
})

it('starts, for whoever has an old Node, with a file that an old Node can read', () => {
  const program = readFileSync(path.join(root, 'bin/chantal.js'), 'utf8')

  expect(program.split('\n')[0]).toBe(
    '#!/usr/bin/env -S MALLOC_ARENA_MAX=2 MALLOC_MMAP_THRESHOLD_=524288 node --min-semi-space-size=4 --max-semi-space-size=4',
  )
  // A named import of what an old Node lacks, or an import of our own, would fail before the check.
  expect([...program.matchAll(/^import .*$/gm)].map(([line]) => line)).toEqual([
    "import module from 'node:module'",
  ])
  // Node's own folder for what it compiled lies where anyone may make it, and V8 runs what is there.
  expect(program).not.toContain('enableCompileCache')
})
