import { expect, it } from 'vitest'
import { parseSha256 } from '../../core/digest.ts'
import { DigestList } from './digest-list.ts'

it('gives digests back in batches, in the order in which they came', () => {
  const digests = Array.from({ length: 2500 }, (_, n) => parseSha256(n.toString(16).padStart(64, 'f')))
  const list = new DigestList()

  for (const digest of digests) list.push(digest)

  const batches = [...list.batches(1000)]
  expect(list.length).toBe(2500)
  expect(batches.map(({ length }) => length)).toEqual([1000, 1000, 500])
  expect(batches.flat()).toEqual(digests)
})

it('gives no batch where it is empty', () => {
  expect([...new DigestList().batches(10)]).toEqual([])
})
