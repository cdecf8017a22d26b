import { describe, expect, it } from 'vitest'
import { ByteStore } from '../../core/byte-store.ts'
import type { PackageKey } from '../../core/model.ts'
import { parseRelativePath } from '../../core/path.ts'
import { ListedPackage, type PackageFound } from './listed-package.ts'

const path = parseRelativePath('Packages/d/demo-ü-1.0-1.noarch.rpm')

const found: PackageFound = {
  key: 'demo-ü-0:1.0-1.noarch' as PackageKey,
  name: 'demo-ü',
  version: '0:1.0-1',
  architecture: 'noarch',
  buildTime: 1_700_000_000,
  moduleStreams: ['b:2', 'a:1'],
  identity: Buffer.alloc(32, 7),
  attributes: {
    summary: 'Größe “x” 🐦',
    license: 'MIT',
    vendor: null,
    group: null,
    source_rpm: 'demo-1.0-1.src.rpm',
    url: null,
    installed_bytes: 42,
  },
  path,
  elsewhere: null,
  checksum: { algorithm: 'sha1', hex: '00ff'.repeat(10) },
  size: 1234,
  maxSize: 9999,
  index: 3,
}

describe('a listed package', () => {
  it('says all that was found of it, though it keeps it as bytes', () => {
    const pkg = new ListedPackage(found, new ByteStore())

    const { name, version, architecture, builtAt, identity, versionGroup, attributes, pkgid } = pkg
    expect({ name, version, architecture, builtAt, identity, versionGroup, pkgid }).toEqual({
      name: 'demo-ü',
      version: '0:1.0-1',
      architecture: 'noarch',
      builtAt: new Date(1_700_000_000_000),
      identity: Buffer.alloc(32, 7).toString('base64url'),
      versionGroup: 'demo-ü noarch a:1 b:2',
      pkgid: '00ff'.repeat(10),
    })
    expect(attributes).toEqual({ ...found.attributes, checksum: `sha1:${'00ff'.repeat(10)}` })
    expect(Object.keys(attributes).at(-1)).toBe('checksum')
  })

  it('has one file, the same object each time, where upstream has it', () => {
    const pkg = new ListedPackage(found, new ByteStore())

    const [file] = pkg.files
    expect(pkg.files[0]).toBe(file)
    expect([file.path, file.location]).toEqual([path, path])
    expect(file.expect).toEqual({ checksums: [found.checksum], size: 1234, maxSize: 1234 })
  })

  it('is read up to the limit where upstream states no size, and elsewhere where it says so', () => {
    const elsewhere = new URL('https://other.example/x.rpm')
    const pkg = new ListedPackage({ ...found, size: null, elsewhere, buildTime: null }, new ByteStore())

    expect(pkg.files[0].expect).toEqual({ checksums: [found.checksum], maxSize: 9999 })
    expect(pkg.files[0].location).toBe(elsewhere)
    expect(pkg.builtAt).toBeNull()
  })

  it('is the same under another key', () => {
    const store = new ByteStore()
    const pkg = new ListedPackage(found, store)

    const other = pkg.withKey(`${pkg.key} (${path})` as PackageKey, store)

    expect(other.key).toBe(`demo-ü-0:1.0-1.noarch (${path})`)
    const facts = ({ name, version, identity, attributes, index, files: [file] }: ListedPackage) => ({
      ...{ name, version, identity, attributes, index, expect: file.expect, path: file.path },
    })
    expect(facts(other)).toEqual(facts(pkg))
  })
})
