import { describe, expect, it } from 'vitest'
import { parseRelease } from './formats/release.ts'
import { aptOptions } from './options.ts'
import { releaseFields } from './release-fields.ts'
import { placeOfSuite } from './suites.ts'

const date = 'Date: Mon, 05 Jan 2026 00:00:00 UTC\nSHA256:\n'

/** What clients pin by, of a flat repository. */
function namesOf(upstream: string, { folder, isMoved }: { folder: string; isMoved: boolean }) {
  const fields = releaseFields(
    {
      place: placeOfSuite(folder),
      upstream: parseRelease(`${upstream}${date}`, 'Release'),
      isMoved,
      components: [],
      architectures: ['amd64'],
      hasSeparateAllIndex: false,
    },
    aptOptions.parse({ suites: ['./'] }),
    { repository: 'flat', now: new Date('2026-01-06T00:00:00Z') },
  )
  return fields.filter(([name]) => name === 'Suite' || name === 'Codename').map((field) => field.join(': '))
}

describe('a flat repository in a folder of the tree of several', () => {
  it.each([
    ['no name at all', '', 'tools/', ['Suite: tools']],
    ['a suite', 'Suite: stable\n', 'tools/', ['Suite: stable', 'Codename: tools']],
    ['a codename', 'Codename: nest\n', 'tools/', ['Suite: tools', 'Codename: nest']],
    ['both', 'Suite: stable\nCodename: nest\n', 'tools/', ['Suite: stable', 'Codename: tools']],
    ['that of the folder', 'Suite: tools\nCodename: nest\n', 'tools/', ['Suite: tools', 'Codename: nest']],
    ['none, two folders deep', '', 'tools/nest/', ['Suite: tools/nest']],
  ])('says the name by which clients ask for it, where upstream says %s', (_, upstream, folder, names) => {
    expect(namesOf(upstream, { folder, isMoved: true })).toEqual(names)
  })

  it('says what upstream says where it stands as upstream has it', () => {
    expect(namesOf('Suite: stable\n', { folder: 'nest/', isMoved: false })).toEqual(['Suite: stable'])
  })
})
