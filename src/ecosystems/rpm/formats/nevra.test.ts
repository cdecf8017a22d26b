import { describe, expect, it } from 'vitest'
import { compareNevras, formatNevra, nevraFileName, parseNevra, parseRpmFileName } from './nevra.ts'

const bash = { name: 'bash', epoch: '0', version: '5.1.8', release: '9.el9', architecture: 'x86_64' }

describe('NEVRA', () => {
  it.each([
    ['bash-0:5.1.8-9.el9.x86_64', bash],
    ['bash-5.1.8-9.el9.x86_64', bash],
    [
      'perl-DBD-Pg-2:3.7-4.module+el8+2.noarch',
      { name: 'perl-DBD-Pg', epoch: '2', version: '3.7', release: '4.module+el8+2', architecture: 'noarch' },
    ],
  ])('reads %s', (text, expected) => {
    expect(parseNevra(text)).toEqual(expected)
  })

  it.each([
    '',
    'bash',
    'bash-1',
    'bash-1-2',
    'bash-1.x86_64',
    '-1-2.noarch',
    'bash-a:1-2.noarch',
    'bash-1:-2.noarch',
    'bash-1-2.',
    'bash-1-.noarch',
    'a.b-1-2',
  ])('is null for %j', (text) => {
    expect(parseNevra(text)).toBeNull()
  })

  it('writes the epoch always, and never in file names', () => {
    expect(formatNevra(bash)).toBe('bash-0:5.1.8-9.el9.x86_64')
    expect(nevraFileName({ ...bash, epoch: '3' })).toBe('bash-5.1.8-9.el9.x86_64.rpm')
    expect(parseRpmFileName('bash-5.1.8-9.el9.x86_64.rpm')).toEqual(bash)
    expect(parseRpmFileName('bash-5.1.8-9.el9.x86_64')).toBeNull()
  })

  it('sorts by name, version order and architecture', () => {
    const newer = { ...bash, release: '10.el9' }
    const source = { ...bash, architecture: 'src' }
    const zsh = { ...bash, name: 'zsh' }

    expect([zsh, newer, bash, source].toSorted(compareNevras)).toEqual([source, bash, newer, zsh])
  })
})
