import v8 from 'node:v8'
import { afterEach, beforeEach, expect, it, vi } from 'vitest'

beforeEach(() => {
  vi.useFakeTimers()
  vi.resetModules()
})
afterEach(() => {
  vi.useRealTimers()
  vi.restoreAllMocks()
})

it('keeps the heap small once a command takes long, and not before', async () => {
  const set = vi.spyOn(v8, 'setFlagsFromString').mockReturnValue()
  const { keepHeapSmall } = await import('./heap-growth.ts')

  keepHeapSmall()
  vi.advanceTimersByTime(499)
  expect(set).not.toHaveBeenCalled()
  vi.advanceTimersByTime(1)
  expect(set.mock.calls).toEqual([['--heap-growing-percent=60']])
})

it('stays with what somebody chose before', async () => {
  const set = vi.spyOn(v8, 'setFlagsFromString').mockReturnValue()
  const { expectGarbage, keepHeapSmall } = await import('./heap-growth.ts')

  keepHeapSmall()
  expectGarbage()
  vi.advanceTimersByTime(500)
  expect(set.mock.calls).toEqual([['--heap-growing-percent=200']])
})

it('has what is to be done before done once, before the first flag', async () => {
  const steps: string[] = []
  vi.spyOn(v8, 'setFlagsFromString').mockImplementation((flag) => void steps.push(flag))
  const { beforeHeapIsBounded, expectGarbage, keepHeapSmall } = await import('./heap-growth.ts')
  beforeHeapIsBounded(() => steps.push('before'))

  keepHeapSmall()
  vi.advanceTimersByTime(500)
  expectGarbage()

  expect(steps).toEqual(['before', '--heap-growing-percent=60', '--heap-growing-percent=200'])
})
