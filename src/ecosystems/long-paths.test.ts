import { expect, it } from 'vitest'
import { upstreamPath as aptPath } from './apt/index-reader.ts'
import { parseTreeinfo } from './rpm/formats/treeinfo.ts'
import { upstreamPath as rpmPath } from './rpm/metadata.ts'
import { recognize } from './rpm/recognized-package.ts'

const many = 8_000_000

it('take millions of slashes for one', () => {
  expect(aptPath(`.${'/'.repeat(many)}x`)).toBe('x')
  expect(rpmPath(`${'./'.repeat(many)}x`)).toBe('x')
  expect(parseTreeinfo(`[general]\n[images-a]\nb = .${'/'.repeat(many)}x\n`).files).toMatchObject([
    { path: 'x' },
  ])
})

it('have a package of millions of folders read, not recognized', () => {
  const entry = `<checksum type="sha256"><location href="${'a/'.repeat(many)}"/>`

  expect(recognize(Buffer.from(entry), 'a-0:1-1.noarch' as never)).toBeNull()
})
