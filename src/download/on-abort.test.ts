import { expect, it } from 'vitest'
import { offAbort, onAbort } from './on-abort.ts'

it('calls everyone who still waits when the signal aborts, once', () => {
  const controller = new AbortController()
  const called: string[] = []
  const left = () => called.push('left')
  onAbort(controller.signal, () => called.push('first'))
  const ticket = onAbort(controller.signal, left)
  onAbort(controller.signal, () => called.push('last'))
  offAbort(controller.signal, ticket)

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
  onAbort(controller.signal, () => offAbort(controller.signal, ticket))
  const ticket = onAbort(controller.signal, () => called.push('second'))

  controller.abort()

  expect(called).toEqual([])
})

it('has a number that is free again call what took it', () => {
  const controller = new AbortController()
  const called: string[] = []
  for (let round = 0; round < 100; round++)
    offAbort(
      controller.signal,
      onAbort(controller.signal, () => called.push('left')),
    )
  const tickets = ['first', 'second', 'third'].map((name) =>
    onAbort(controller.signal, () => called.push(name)),
  )
  offAbort(controller.signal, tickets[1] ?? raise())
  onAbort(controller.signal, () => called.push('fourth'))

  controller.abort()

  expect(new Set(tickets).size).toBe(3)
  expect(called.sort()).toEqual(['first', 'fourth', 'third'])
})

function raise(): never {
  throw new Error('there are three')
}
