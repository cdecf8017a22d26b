import { readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, it } from 'vitest'

const root = path.join(import.meta.dirname, '..')

interface LockedPackage {
  readonly optionalDependencies?: Readonly<Record<string, string>>
}

it('keeps the packages of every platform in the lock file, as `npm ci` wants them', () => {
  const { packages } = JSON.parse(readFileSync(path.join(root, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, LockedPackage>
  }
  const locked = Object.keys(packages)
  const missing = Object.values(packages)
    .flatMap(({ optionalDependencies }) => Object.keys(optionalDependencies ?? {}))
    .filter((name) => !locked.some((place) => place.endsWith(`node_modules/${name}`)))

  expect(missing, 'run node scripts/complete-lock.js').toEqual([])
})

it('starts, for whoever has an old Node, with a file that an old Node can read', () => {
  const program = readFileSync(path.join(root, 'bin/chantal.js'), 'utf8')

  expect(program.split('\n')[0]).toBe('#!/usr/bin/env -S node --max-semi-space-size=4')
  // A named import of what an old Node lacks, or an import of our own, would fail before the check.
  expect([...program.matchAll(/^import .*$/gm)].map(([line]) => line)).toEqual([
    "import module from 'node:module'",
  ])
})
