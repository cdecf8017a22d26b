import { describe, expect, it } from 'vitest'
import { ByteStore } from './byte-store.ts'

const read = ({ block, start, end }: ReturnType<ByteStore['add']>) => block.subarray(start, end)

describe('a store of bytes', () => {
  it('gives back what was added, in order and next to each other', () => {
    const store = new ByteStore()

    const first = store.add(Buffer.from([0, 255]), 'é')
    const second = store.add(Buffer.alloc(0), '𐍈')

    expect([...read(first)]).toEqual([0, 255, 0xc3, 0xa9])
    expect(read(second).toString()).toBe('𐍈')
    expect(second.block).toBe(first.block)
  })

  it('goes on in another block where one is full, and takes a piece larger than a block', () => {
    const store = new ByteStore()
    const large = 'x'.repeat(3_000_000)

    const pieces = [
      store.add(Buffer.from('a'), ''),
      store.add(Buffer.from('b'), large),
      store.add(Buffer.from('c'), ''),
    ]

    expect(pieces.map((piece) => read(piece).toString())).toEqual(['a', `b${large}`, 'c'])
  })
})
