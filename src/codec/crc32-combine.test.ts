import { crc32 } from 'node:zlib'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { combineCrc32 } from './crc32-combine.ts'

it('is the CRC-32 of what stands one after the other', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 3000 }), fc.uint8Array({ maxLength: 3000 }), (first, second) => {
      const whole = crc32(Buffer.concat([first, second]))
      expect(combineCrc32(crc32(first), crc32(second), second.byteLength)).toBe(whole)
    }),
  )
})

it.each([0, 1, 2 ** 20, 5 * 2 ** 20 + 3])('takes a second part of %i bytes', (size) => {
  const first = Buffer.from('first')
  const second = Buffer.alloc(size, 'second')

  expect(combineCrc32(crc32(first), crc32(second), size)).toBe(crc32(second, crc32(first)))
})
