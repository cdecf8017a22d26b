import { describe, expect, it } from 'vitest'
import { type PoolNames, poolPath } from './pool-path.ts'

const foo: PoolNames = {
  source: 'foo',
  name: 'foo',
  version: '1.0-1',
  architecture: 'amd64',
  isUdeb: false,
}

describe('poolPath', () => {
  it.each([
    ['by first letter', {}, 'pool/main/f/foo/foo_1.0-1_amd64.deb'],
    [
      'libraries by four',
      { source: 'libfoo', name: 'libfoo1' },
      'pool/main/libf/libfoo/libfoo1_1.0-1_amd64.deb',
    ],
    ['lib itself by its first', { source: 'lib' }, 'pool/main/l/lib/foo_1.0-1_amd64.deb'],
    ['by its source', { source: 'bar' }, 'pool/main/b/bar/foo_1.0-1_amd64.deb'],
    ['without its epoch', { version: '12:1.0~rc1+x-1' }, 'pool/main/f/foo/foo_1.0~rc1+x-1_amd64.deb'],
    ['packages of the installer', { isUdeb: true }, 'pool/main/f/foo/foo_1.0-1_amd64.udeb'],
    ['odd names that are allowed', { name: '0a+.-_B' }, 'pool/main/f/foo/0a+.-_B_1.0-1_amd64.deb'],
  ])('sorts packages: %s', (_, names, path) => {
    expect(poolPath('main', { ...foo, ...names })).toBe(path)
  })

  it('takes components that are paths', () => {
    expect(poolPath('updates/main', foo)).toBe('pool/updates/main/f/foo/foo_1.0-1_amd64.deb')
  })

  it.each([
    ['a source that leads out', { source: '../../etc' }],
    ['a source that is a folder above', { source: '..' }],
    ['a hidden source', { source: '.foo' }],
    ['no name', { name: '' }],
    ['a name with a slash', { name: 'a/b' }],
    ['a name with a line break', { name: 'a\nb' }],
    ['a version with a slash', { version: '1/../2' }],
    ['a version that is none', { version: '1:' }],
    ['a version with two epochs', { version: '1:2:3' }],
    ['an architecture with a blank', { architecture: 'amd64 i386' }],
    ['no architecture', { architecture: '' }],
  ])('refuses %s', (_, names) => {
    expect(() => poolPath('main', { ...foo, ...names })).toThrow(
      expect.objectContaining({ code: 'UPSTREAM_INVALID' }),
    )
  })

  it.each([
    ['a component that leads out', '..', {}],
    ['a component that is empty', '', {}],
    ['a name that is too long for a file', 'main', { name: 'a'.repeat(250) }],
  ])('refuses %s', (_, component, names) => {
    expect(() => poolPath(component, { ...foo, ...names })).toThrow(
      expect.objectContaining({ code: 'PATH_UNSAFE' }),
    )
  })
})
