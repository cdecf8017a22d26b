import { existsSync } from 'node:fs'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { isChantalError } from '../../../core/errors.ts'
import { pruneAppstream } from './appstream-prune.ts'
import { aptCorpus, gather, inChunks, isSubsequence, readCorpus } from './bytes.test-support.ts'

// As `appstreamcli convert` writes it.
const header = `---
File: DEP-11
Version: '0.16'
Origin: debian-bookworm-main
MediaBaseUrl: https://appstream.debian.org/media/pool
`
const calculator = `---
Type: desktop-application
ID: org.gnome.Calculator
Package: gnome-calculator
Name:
  C: Calculator
  de: Taschenrechner
Description:
  C: >-
    <p>It
    ---
    calculates.</p>

    Package: other
Icon:
  cached:
  - name: gnome-calculator_org.gnome.Calculator.png
    width: 64
    height: 64
`
const font = `---
Type: font
ID: com.example.font
Package: 0xfont
Name:
  C: Font
`

async function prune(content: string | Uint8Array, keeps: (name: string) => boolean, size?: number) {
  const { bytes, result } = await gather(pruneAppstream(inChunks(content, size), keeps))
  return { text: bytes.toString(), bytes, counts: result }
}

describe('pruneAppstream', () => {
  it('keeps components of published packages, and the header', async () => {
    const { text, counts } = await prune(header + calculator + font, (name) => name === 'gnome-calculator')

    expect(text).toBe(header + calculator)
    expect(counts).toEqual({ kept: 1, dropped: 1, unreadable: 0 })
  })

  it('keeps the header where nothing is published', async () => {
    const { text, counts } = await prune(header + calculator + font, () => false)

    expect(text).toBe(header)
    expect(counts).toEqual({ kept: 0, dropped: 2, unreadable: 0 })
  })

  it.each([
    ['a: 1\nPackage: "one"\n', 'one'],
    ["a: 1\nPackage: 'lib++.1~x' # why\n", 'lib++.1~x'],
    ['Package:  2048 \na: 1\n', '2048'],
    ['a: 1\r\nPackage: one\r\n', 'one'],
    ['Package: one', 'one'],
  ])('reads the name in %j', async (document, name) => {
    const asked: string[] = []

    await prune(`${header}---\n${document}`, (one) => asked.push(one) > 0)

    expect(asked).toEqual([name])
  })

  it.each([
    ['without a package', 'ID: x\n'],
    ['with two packages', 'Package: a\nPackage: b\n'],
    ['with a list of packages', 'Package: [a, b]\n'],
    ['with an empty name', 'Package:\n'],
    ['with a name on another line', 'Package: >-\n  a\n'],
    ['with the name further down', 'Name:\n  Package: a\n'],
    ['with the name within a word', 'XPackage: a\n'],
    ['with quotes that do not close', "Package: 'a\n"],
    ['that is no mapping', '- Package: a\n'],
    ['that says to be a header', 'File: DEP-11\n'],
  ])('leaves out a document %s, and counts it', async (_, document) => {
    const { text, counts } = await prune(`${header}---\n${document}${font}`, () => true)

    expect(text).toBe(header + font)
    expect(counts).toEqual({ kept: 1, dropped: 0, unreadable: 1 })
  })

  it('takes the first document for a component where there is no header', async () => {
    const { text, counts } = await prune(calculator + font, (name) => name === '0xfont')

    expect(text).toBe(font)
    expect(counts).toEqual({ kept: 1, dropped: 1, unreadable: 0 })
  })

  it('passes on what is not a document', async () => {
    const content = `%YAML 1.1\n# ours\n\n${header}...\n---\n\n# nothing\n${font}---\n`

    const { text, counts } = await prune(content, () => true)

    expect(text).toBe(content)
    expect(counts).toEqual({ kept: 1, dropped: 0, unreadable: 0 })
  })

  it('refuses a document that has no end', async () => {
    await expect(prune(Buffer.alloc(40 * 1024 * 1024, 'a'), () => true, 1024 * 1024)).rejects.toSatisfy(
      (error) => isChantalError(error, 'SIZE_LIMIT'),
    )
  })

  it('gives back any documents where all are published, and a part of them where not, however they arrive', async () => {
    const tail = fc.constantFrom('', '...\n', '\n', '# --- x\n', 'X: "---"\n', 'Y: \xe4\n')
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.constantFrom(calculator, font), tail)),
        fc.integer({ min: 1, max: 200 }),
        async (documents, size) => {
          const content = Buffer.from(header + documents.map((parts) => parts.join('')).join(''), 'latin1')

          const whole = await prune(content, () => true, size)
          const part = await prune(content, (name) => name === '0xfont', size)

          expect(whole.bytes.equals(content)).toBe(true)
          expect(isSubsequence(part.bytes, content)).toBe(true)
          expect(part.counts.kept).toBe(documents.filter(([document]) => document === font).length)
        },
      ),
    )
  })

  it.skipIf(!existsSync(aptCorpus))('leaves nothing of a real file that names no package', async () => {
    const content = await readCorpus(
      'aptly-fixtures/test_release2/dists/hardy/main/dep11/Components-amd64.yml.gz',
    )

    const { text, counts } = await prune(content, () => true)

    expect(content.toString()).toContain('ID: test.desktop')
    expect(text).toBe('')
    expect(counts).toEqual({ kept: 0, dropped: 0, unreadable: 1 })
  })
})
