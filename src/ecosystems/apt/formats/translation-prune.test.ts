import { existsSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isChantalError } from '../../../core/errors.ts'
import { aptCorpus, gather, inChunks, isSubsequence, readCorpus } from './bytes.test-support.ts'
import { parseStanza } from './stanza.ts'
import { readStanzas } from './stanza-reader.ts'
import { descriptionMd5, pruneTranslation } from './translation-prune.ts'

const keepsAll = (): boolean => true
const md5 = (letter: string): string => letter.repeat(32)
const stanza = (name: string, digest: string): string =>
  `Package: ${name}\nDescription-md5: ${digest}\nDescription-de: Kurz\n Lang.\n .\n Länger.\n`

async function prune(
  content: string | Uint8Array,
  keeps: (name: string, digest: string) => boolean,
  size?: number,
) {
  const { bytes, result } = await gather(pruneTranslation(inChunks(content, size), keeps))
  return { bytes, text: bytes.toString(), counts: result }
}

describe('pruneTranslation', () => {
  it('keeps descriptions of published packages, and of those only what is described', async () => {
    const content = `${stanza('a', md5('1'))}\n${stanza('a', md5('2'))}\n${stanza('b', md5('1'))}\n`

    const { text, counts } = await prune(content, (name, digest) => name === 'a' && digest === md5('1'))

    expect(text).toBe(`${stanza('a', md5('1'))}\n`)
    expect(counts).toEqual({ kept: 1, dropped: 2, unreadable: 0 })
  })

  it('asks with digests in lower case, and with empty text for what is not stated', async () => {
    const asked: (readonly string[])[] = []

    await prune(
      `${stanza('a', md5('F'))}\nPackage: b\nDescription-de: x\n\nDescription-de: y\n`,
      (...query) => {
        asked.push(query)
        return true
      },
    )

    expect(asked).toEqual([
      ['a', md5('f')],
      ['b', ''],
      ['', ''],
    ])
  })

  it('leaves out and counts what is no stanza', async () => {
    const { text, counts } = await prune(`nonsense\n\n${stanza('a', md5('1'))}`, keepsAll)

    expect(text).toBe(stanza('a', md5('1')))
    expect(counts).toEqual({ kept: 1, dropped: 0, unreadable: 1 })
  })

  it('refuses a stanza that has no end', async () => {
    await expect(prune('a'.repeat(40 * 1024 * 1024), keepsAll, 1024 * 1024)).rejects.toSatisfy((error) =>
      isChantalError(error, 'SIZE_LIMIT'),
    )
  })

  it('gives back any stanzas where all are published, and a part of them where not, however they arrive', async () => {
    const written = fc.tuple(
      fc.constantFrom('a', 'b', 'c'),
      fc.constantFrom('\n', '\n\n', '\r\n', '\n \t\n\n'),
      fc.boolean(),
    )
    await fc.assert(
      fc.asyncProperty(
        fc.array(written),
        fc.constantFrom('', '\n', '\n\r\n'),
        fc.integer({ min: 1, max: 90 }),
        async (stanzas, start, size) => {
          const parts = stanzas.map(([name, gap, returns]) => {
            const text = stanza(name, md5('1'))
            return (returns ? text.replaceAll('\n', '\r\n') : text) + gap
          })
          const content = Buffer.from(start + parts.join(''))

          const whole = await prune(content, keepsAll, size)
          const part = await prune(content, (name) => name === 'a', size)
          const again = await prune(content, (name) => name === 'a', 1_000_000)

          expect(whole.bytes.equals(content)).toBe(true)
          expect(isSubsequence(part.bytes, content)).toBe(true)
          expect(part).toEqual(again)
        },
      ),
    )
  })
})

describe('descriptionMd5', () => {
  // From Debian's Translation-en, where it stands as Description-en.
  const written = `Package: tzdata
Description: time zone and daylight-saving time data
 This package contains data required for the implementation of
 standard local time for many representative locations around the
 globe. It is updated periodically to reflect changes made by
 political bodies to time zone boundaries, UTC offsets, and
 daylight-saving rules.
`

  it('is what Debian states for the same description', () => {
    expect(descriptionMd5(Buffer.from(written))).toBe('a77a3cc9a67658dd7cfdc6547391b8f8')
  })

  it('is what the stanza states, whatever it describes', () => {
    expect(descriptionMd5(Buffer.from(`${written}Description-MD5: ${md5('A')}\n`))).toBe(md5('a'))
  })

  it('takes the description as it is written, without the spaces around it', () => {
    const digest = descriptionMd5(Buffer.from('Description: a\n b \n  c\n .\n d\n'))

    expect(descriptionMd5(Buffer.from('Description:  \t a\n b \n  c\n .\n d  \n \nVersion: 1\n'))).toBe(
      digest,
    )
    expect(descriptionMd5(Buffer.from('Description: a\n b\n  c\n .\n d\n'))).not.toBe(digest)
  })

  it('takes bytes for what they are, be they UTF-8 or not', () => {
    // printf 'd\303\240\n' | md5sum; printf 'd\340\n' | md5sum
    expect(descriptionMd5(Buffer.from('Description: dà\n'))).toBe('c2f224644c5939eae980447dfe43d9d1')
    expect(descriptionMd5(Buffer.from('Description: d\xe0\n', 'latin1'))).toBe(
      'a04ab56a0cc20de76d28a16a57f77961',
    )
  })

  it.each(['Package: a\n', 'Description:\nPackage: a\n', ''])(
    'is none where there is no description: %j',
    (text) => {
      expect(descriptionMd5(Buffer.from(text))).toBeNull()
    },
  )
})

const suites = ['bookworm-updates', 'bookworm-security', 'bookworm-backports'] as const
const folders = {
  'bookworm-updates': 'debian-bookworm-updates-small/dists/bookworm-updates/main',
  'bookworm-security': 'debian-bookworm-security-meta/dists/bookworm-security/main',
  'bookworm-backports': 'debian-bookworm-backports-meta/dists/bookworm-backports/main',
}

describe.skipIf(!existsSync(aptCorpus))('translations of real repositories', () => {
  it.each(suites)('describes packages of %s by the digests that Packages states', async (suite) => {
    const content = await readCorpus(`${folders[suite]}/i18n/Translation-en.xz`)
    const packages = await readCorpus(`${folders[suite]}/binary-amd64/Packages.xz`)
    const stated = new Set<string>()
    for await (const batch of readStanzas(inChunks(packages, 65_536), 'Packages'))
      for (const bytes of batch) stated.add(`${parseStanza(bytes).get('Package')} ${descriptionMd5(bytes)}`)

    const whole = await prune(content, keepsAll, 65_536)
    const part = await prune(content, (name, digest) => stated.has(`${name} ${digest}`), 65_536)

    expect(whole.bytes.equals(content)).toBe(true)
    expect(part.counts.kept).toBe(stated.size)
  })

  it.each(suites)('computes from descriptions of %s what is stated beside them', async (suite) => {
    const content = await readCorpus(`${folders[suite]}/i18n/Translation-en.xz`)
    let compared = 0

    for await (const batch of readStanzas(inChunks(content, 65_536), 'Translation')) {
      for (const bytes of batch) {
        const text = Buffer.from(bytes).toString('latin1')
        const alone = text.replace(/^Description-md5:.*\n/m, '').replace(/^Description-en:/m, 'Description:')
        expect(descriptionMd5(Buffer.from(alone, 'latin1'))).toBe(descriptionMd5(bytes))
        compared += 1
      }
    }

    expect(compared).toBeGreaterThan(30)
  })

  it('computes what a repository without translations states', async () => {
    const packages = await readCorpus('pulp-deb-fixtures/debian/dists/ragnarok/asgard/binary-ppc64/Packages')
    let compared = 0

    for await (const batch of readStanzas(inChunks(packages), 'Packages')) {
      for (const bytes of batch) {
        const stated = parseStanza(bytes).get('Description-md5')
        if (stated === null) continue
        const alone = Buffer.from(bytes)
          .toString()
          .replace(/^Description-md5:.*\n/m, '')
        expect(descriptionMd5(Buffer.from(alone))).toBe(stated)
        compared += 1
      }
    }

    expect(compared).toBe(2)
  })
})
