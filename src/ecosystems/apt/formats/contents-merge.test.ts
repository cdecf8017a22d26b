import { describe, expect, it } from 'vitest'
import { readWhole } from '../../../core/bytes.ts'
import { mergeContents } from './contents-merge.ts'

async function merged(...texts: readonly string[]): Promise<string> {
  const sources = texts.map(async function* (text) {
    for (let at = 0; at < text.length; at += 7) yield Buffer.from(text.slice(at, at + 7), 'latin1')
  })
  return Buffer.from(await readWhole(mergeContents(sources))).toString('latin1')
}

describe('mergeContents', () => {
  it('keeps the order of lines over several indexes', async () => {
    const one = 'bin/bash shells/bash\nusr/bin/vim editors/vim\n'
    const other = 'bin/zsh shells/zsh\nusr/share/\xe4 misc/a\n'

    expect(await merged(one, other)).toBe(
      'bin/bash shells/bash\nbin/zsh shells/zsh\nusr/bin/vim editors/vim\nusr/share/\xe4 misc/a\n',
    )
  })

  it('has a path of several indexes once for each', async () => {
    expect(await merged('bin/sh shells/dash\n', 'bin/sh shells/bash\n')).toBe(
      'bin/sh shells/bash\nbin/sh shells/dash\n',
    )
  })

  it('has a line that several have once', async () => {
    expect(await merged('bin/a x/a\nbin/b x/b\n', 'bin/b x/b\n', 'bin/b x/b\nbin/c x/c\n')).toBe(
      'bin/a x/a\nbin/b x/b\nbin/c x/c\n',
    )
  })

  it('leaves headers out, and ends the last line', async () => {
    const old = 'This file maps\n\nFILE                LOCATION\nbin/a x/a'

    expect(await merged(old, 'bin/b x/b')).toBe('bin/a x/a\nbin/b x/b\n')
  })

  it('gives nothing of nothing', async () => {
    expect(await merged('', '')).toBe('')
  })
})
