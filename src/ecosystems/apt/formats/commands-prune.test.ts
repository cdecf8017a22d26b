import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { gather, inChunks, isSubsequence } from './bytes.test-support.ts'
import { pruneCommands } from './commands-prune.ts'

const header = 'suite: noble\ncomponent: main\narch: amd64\n\n'
const jre = 'name: default-jre\nversion: 2:1.21-75\npriority-bonus: 5\ncommands: java,jexec\n\n'
const python =
  'name: python3-minimal\nvisible-pkgname: python3\nversion: 3.12\ncommands: py3clean,python3\n\n'
const cowsay = 'name: cowsay\nversion: 3.03+dfsg2-8\ncommands: cowsay,cowthink\n\n'

async function prune(content: string, keeps: (name: string) => boolean, size?: number) {
  const { bytes, result } = await gather(pruneCommands(inChunks(content, size), keeps))
  return { text: bytes.toString(), bytes, counts: result }
}

describe('pruneCommands', () => {
  it('keeps what comes from published packages, and the header', async () => {
    const { text, counts } = await prune(header + jre + python + cowsay, (name) => name === 'python3-minimal')

    expect(text).toBe(header + python)
    expect(counts).toEqual({ kept: 1, dropped: 2, unreadable: 0 })
  })

  it('keeps the header where nothing is published: clients ask for the file all the same', async () => {
    const { text, counts } = await prune(header + jre, () => false)

    expect(text).toBe(header)
    expect(counts).toEqual({ kept: 0, dropped: 1, unreadable: 0 })
  })

  it('leaves out what names no package, and counts what is no stanza', async () => {
    const { text, counts } = await prune(`${header}commands: rm\n\n???\n\n${jre}`, () => true)

    expect(text).toBe(header + jre)
    expect(counts).toEqual({ kept: 1, dropped: 1, unreadable: 1 })
  })

  it('gives back any stanzas where all are published, and a part of them where not', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom(jre, python, cowsay, '\n')),
        fc.integer({ min: 1, max: 100 }),
        async (stanzas, size) => {
          const content = Buffer.from(`${header}\n${stanzas.join('')}`)

          const whole = await prune(content.toString(), () => true, size)
          const part = await prune(content.toString(), (name) => name === 'cowsay', size)

          expect(whole.bytes.equals(content)).toBe(true)
          expect(isSubsequence(part.bytes, content)).toBe(true)
          expect(part.counts.kept).toBe(stanzas.filter((one) => one === cowsay).length)
        },
      ),
    )
  })
})
