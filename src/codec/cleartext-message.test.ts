import { expect, it } from 'vitest'
import { isSameText } from './cleartext-message.ts'

it.each([
  ['a\nb\n', 'a\nb', true],
  ['a \t\r\nb\r\n\r\n \n', 'a\nb', true],
  ['', '\n', true],
  ['a\n\nb', 'a\n\nb', true],
  ['a\nb', 'a\n b', false],
  ['a\nb', 'a\n\nb', false],
  ['a', 'a\nb', false],
  ['a\nb\nc', 'a\nb', false],
])('compares %j with the signed %j: %s', (text, signed, isSame) => {
  expect(isSameText(text, signed)).toBe(isSame)
})
