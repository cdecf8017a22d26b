import { describe, expect, it } from 'vitest'
import { readModules } from './modulemd.ts'
import { mergeModules } from './modulemd-merge.ts'

const stream = (name: string, version: string, artifact: string) => `---
document: modulemd
version: 2
data:
  name: ${name}
  stream: "1.0"
  version: ${version}
  context: deadbeef
  arch: x86_64
  summary: ${artifact}
  artifacts:
    rpms:
    - ${artifact}
...
`

const defaults = (modified: string, stream: string) => `---
document: modulemd-defaults
version: 1
data:
  module: bear
  modified: ${modified}
  stream: "${stream}"
...
`

const summaryOf = (text: string) =>
  readModules(text).map((document) => /(?:summary|stream): (\S+)$/m.exec(document.text)?.[1] ?? document.kind)

describe('mergeModules', () => {
  it('gives a single document back as it is', () => {
    expect(mergeModules([stream('bear', '1', 'bear-0:1-1.noarch')])).toBe(
      stream('bear', '1', 'bear-0:1-1.noarch'),
    )
  })

  const artifactsIn = (text: string) =>
    readModules(text).map((one) => (one.kind === 'stream' ? one.artifacts : []))

  it('has each stream once, as the first has it, and other versions of it beside', () => {
    const merged = mergeModules([
      stream('bear', '1', 'bear-0:1-1.noarch'),
      stream('bear', '1', 'bear-0:1-1.noarch').replace('summary:', 'summary: other than') +
        stream('bear', '2', 'bear-0:2-1.noarch'),
    ])

    expect(merged).toBe(stream('bear', '1', 'bear-0:1-1.noarch') + stream('bear', '2', 'bear-0:2-1.noarch'))
  })

  it.each([
    ['a block', (text: string) => text],
    ['a block with a remark', (text: string) => text.replace(/^( +- .*)$/m, '$1 # one')],
    ['a list in brackets', (text: string) => text.replace(/rpms:\n +- (.*)/, 'rpms: [$1]')],
    ['a document without an end', (text: string) => text.replace('...\n', '').trimEnd()],
  ])('adds to a stream the artifacts that others list: %s', (_, write) => {
    const first = write(stream('bear', '1', 'bear-0:1-1.noarch'))
    const others = ['bear-devel-0:1-1.noarch', 'bear-0:1-1.noarch', 'bear-src-2:1-1.src'].map((artifact) =>
      stream('bear', '1', artifact),
    )

    const merged = mergeModules([first, ...others, stream('wolf', '1', 'wolf-0:1-1.noarch')])

    expect(artifactsIn(merged)).toEqual([
      ['bear-0:1-1.noarch', 'bear-devel-0:1-1.noarch', 'bear-src-2:1-1.src'],
      ['wolf-0:1-1.noarch'],
    ])
    expect(merged).toContain('summary: bear-0:1-1.noarch')
  })

  it('takes a stream as the first has it that lists any artifacts', () => {
    const bare = stream('bear', '1', 'x').replace(/ {2}artifacts:[^.]*/, '')
    const full = stream('bear', '1', 'bear-0:1-1.noarch')

    expect(mergeModules([bare, full])).toBe(full)
    expect(mergeModules([bare, bare])).toBe(bare)
  })

  it('takes the defaults that were modified last, and the first of equal ones', () => {
    const older = defaults('202001010000', 'old')
    const newer = defaults('202101010000', 'new')

    expect(summaryOf(mergeModules([older, newer]))).toEqual(['"new"'])
    expect(summaryOf(mergeModules([newer, older]))).toEqual(['"new"'])
    expect(summaryOf(mergeModules([newer, defaults('202101010000', 'later')]))).toEqual(['"new"'])
  })

  it('keeps documents apart where the first does not end', () => {
    const first = stream('bear', '1', 'bear-0:1-1.noarch').replace('...\n', '').trimEnd()
    const merged = mergeModules([first, stream('wolf', '1', 'wolf-0:1-1.noarch')])

    expect(readModules(merged).map((one) => one.kind === 'stream' && one.name)).toEqual(['bear', 'wolf'])
  })
})
