import { expect, it } from 'vitest'
import type { PackageKey } from '../../core/model.ts'
import { recordsAmong } from './made-records.test-support.ts'
import { MadeRecords } from './made-records.ts'

const all = ['a', 'b', 'c', 'd'].map((key) => ({
  key: key as PackageKey,
  bytes: Buffer.from(`record of ${key}`),
}))
const [a, b, c, d] = all.map(({ key }) => key) as [PackageKey, PackageKey, PackageKey, PackageKey]
const textOf = async (records: MadeRecords, key: PackageKey) => String(await records.of(key))

it('reads those that are wanted, page by page, from one stream', async () => {
  let streams = 0
  await using records = new MadeRecords((terms) => {
    streams += 1
    return recordsAmong(all, terms)
  }, false)

  records.want([a])
  const first = await textOf(records, a)
  records.want([])
  records.want([c, d])

  expect([first, await textOf(records, c), await textOf(records, d)]).toEqual([
    'record of a',
    'record of c',
    'record of d',
  ])
  expect(streams).toBe(1)
})

it('reads all without being told which', async () => {
  await using records = new MadeRecords((terms) => recordsAmong(all, terms), true)

  expect([await textOf(records, a), await textOf(records, b)]).toEqual(['record of a', 'record of b'])
})

it('refuses another package’s record, and one that is not there', async () => {
  const given = () => new MadeRecords((terms) => recordsAmong(all, terms), true)
  await using records = given()
  await expect(records.of(b)).rejects.toThrow('b has no native record')

  await using few = new MadeRecords((terms) => recordsAmong(all.slice(0, 1), terms), false)
  few.want([c])
  await expect(few.of(c)).rejects.toThrow('c has no native record')
})
