import { expect, it } from 'vitest'
import { offAbort, onAbort } from './on-abort.ts'

it('calls everyone who still waits when the signal aborts, once', () => {
  const controller = new AbortController()
  const called: string[] = []
  const left = () => called.push('left')
  onAbort(controller.signal, () => called.push('first'))
  onAbort(controller.signal, left)
  onAbort(controller.signal, () => called.push('last'))
  offAbort(controller.signal, left)

  controller.abort()
  controller.abort()

  expect(called).toEqual(['first', 'last'])
})

it('keeps signals apart', () => {
  const [one, other] = [new AbortController(), new AbortController()]
  const called: string[] = []
  onAbort(one.signal, () => called.push('one'))
  onAbort(other.signal, () => called.push('other'))

  other.abort()

  expect(called).toEqual(['other'])
})

it('lets a callback take another one back', () => {
  const controller = new AbortController()
  const called: string[] = []
  const second = () => called.push('second')
  onAbort(controller.signal, () => offAbort(controller.signal, second))
  onAbort(controller.signal, second)

  controller.abort()

  expect(called).toEqual([])
})
