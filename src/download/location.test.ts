import { describe, expect, it } from 'vitest'
import { parseAbsoluteLocation, parseBase, resolveLocation } from './location.ts'

describe('resolving a location', () => {
  it.each([
    ['http://h/base/', 'Packages/a.rpm', 'http://h/base/Packages/a.rpm'],
    ['http://h/base/', './a.rpm', 'http://h/base/a.rpm'],
    ['http://h/base/', '../other/a.rpm', 'http://h/other/a.rpm'],
    ['http://h/base/', '/a.rpm', 'http://h/base/a.rpm'],
    ['http://h/base/', '//evil/a.rpm', 'http://h/base/evil/a.rpm'],
    ['http://h/base/', 'http://evil/a.rpm', 'http://h/base/http%3A//evil/a.rpm'],
    ['http://h/base/', 'a+b~c^d%e#f?g h.rpm', 'http://h/base/a%2Bb%7Ec%5Ed%25e%23f%3Fg%20h.rpm'],
    ['http://h/base/', 'foo_1%3a2.deb', 'http://h/base/foo_1%253a2.deb'],
    ['http://h/base/', 'ü', 'http://h/base/%C3%BC'],
    ['https://h/base/?secret', 'a.rpm', 'https://h/base/a.rpm?secret'],
    ['https://h/base/?', 'a.rpm', 'https://h/base/a.rpm'],
    ['https://h/base/#', 'a.rpm', 'https://h/base/a.rpm'],
    ['https://h/base/?path=/', 'a.rpm', 'https://h/base/a.rpm?path=/'],
    ['https://h/base/#part/', 'a.rpm', 'https://h/base/a.rpm'],
    ['https://h/b%20c/?t=1', 'a.rpm', 'https://h/b%20c/a.rpm?t=1'],
    ['file:///media/dvd/', 'Packages/a b.rpm', 'file:///media/dvd/Packages/a%20b.rpm'],
  ])('at %s of %s', (base, location, url) => {
    expect(resolveLocation(new URL(base), location).href).toBe(url)
  })

  it.each(['../passwd', 'a/../../passwd', '..'])('does not let %s leave a mounted folder', (location) => {
    expect(() => resolveLocation(new URL('file:///media/dvd/'), location)).toThrow(
      expect.objectContaining({ code: 'PATH_UNSAFE' }),
    )
  })

  it('refuses half of a surrogate pair, which no URL can have', () => {
    expect(() => resolveLocation(new URL('http://h/base/'), 'a\ud800')).toThrow(
      expect.objectContaining({ code: 'PATH_UNSAFE' }),
    )
  })

  it.each(['file:///etc/passwd', 'data:text/plain,x', 'ftp://h/x'])(
    'refuses the absolute location %s',
    (url) => {
      expect(() => parseAbsoluteLocation(new URL(url))).toThrow(
        expect.objectContaining({ code: 'PATH_UNSAFE' }),
      )
    },
  )

  it.each([
    ['https://cdn.example/content/os', 'https://cdn.example/content/os/'],
    ['https://cdn.example/content/os?token', 'https://cdn.example/content/os/?token'],
    ['https://cdn.example/os/', 'https://cdn.example/os/'],
  ])('gives the feed %s its slash', (url, base) => {
    expect(parseBase(new URL(url)).href).toBe(base)
  })
})
