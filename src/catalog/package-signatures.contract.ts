import { describe, expect, it } from 'vitest'
import type { EcosystemId, RepositoryId, Revision } from '../core/model.ts'
import type { PackageSignature, PackageVerdict } from '../core/package-signature.ts'
import { addRevision, all, keyOf, packageOf } from './catalog.fixtures.ts'
import type { Catalog } from './catalog.ts'
import type { PackageQuery } from './catalog-reader.ts'

const good: PackageVerdict = {
  state: 'good',
  fingerprint: 'A5CB1D6CBAE43A1CA298D54F5BE3155C3EA9B365',
  keyId: '5BE3155C3EA9B365',
  signedAt: new Date('2026-01-05T06:07:08Z'),
}
const unsigned: PackageVerdict = { state: 'unsigned' }

const under = (policy: string, verdict: PackageVerdict = good): PackageSignature => ({ verdict, policy })

/** What checking packages came to: noted with them, and found again by the rules that it was checked under. */
export function describePackageSignatures(catalogOf: () => Catalog): void {
  const listed = (revision: Revision, query?: PackageQuery) =>
    all(catalogOf(), (reader) => reader.packages(revision, query))
  const verdicts = async (revision: Revision) =>
    Object.fromEntries(
      (await listed(revision)).map(({ key, signature }) => [
        key,
        signature && `${signature.verdict.state} ${signature.policy}`,
      ]),
    )
  const save = (revision: Revision, signatures: Readonly<Record<string, PackageSignature>>) =>
    catalogOf().write((writer) =>
      writer.saveSignatures(
        revision,
        new Map(Object.entries(signatures).map(([key, signature]) => [keyOf(key), signature])),
      ),
    )

  describe('signatures of packages', () => {
    it.each<PackageVerdict>([
      good,
      unsigned,
      { state: 'unknown-key', keyIds: ['5BE3155C3EA9B365', '0000000000000001'] },
      { state: 'unsupported', keyId: null, reason: 'digest 99 is not supported' },
      { state: 'bad', keyId: '5BE3155C3EA9B365', reason: 'changed: “é” \\ " \n' },
    ])('come back as they were noted: $state', async (verdict) => {
      const signature = under('rules', verdict)

      const revision = await addRevision(catalogOf(), {
        packages: [
          { ...packageOf('added', [1]), signature },
          { ...packageOf('later', [2]), signature: null },
        ],
      })
      await save(revision, { later: signature })

      expect((await listed(revision)).map((pkg) => pkg.signature)).toEqual([signature, signature])
    })

    it('are found where they were not noted under these rules, or are not good', async () => {
      const revision = await addRevision(catalogOf(), {
        packages: [
          { ...packageOf('never', [1]) },
          { ...packageOf('old', [2]), signature: under('old') },
          { ...packageOf('new', [3]), signature: under('new') },
          { ...packageOf('unsigned', [4]), signature: under('new', unsigned) },
        ],
      })

      const names = async (query: PackageQuery) => (await listed(revision, query)).map(({ name }) => name)

      expect(await names({ notGoodUnder: 'new' })).toEqual(['never', 'old', 'unsigned'])
      expect(await names({ notGoodUnder: 'other' })).toEqual(['never', 'new', 'old', 'unsigned'])
      expect(await names({ notGoodUnder: 'new', pattern: 'o*' })).toEqual(['old'])
    })

    it('are noted anew with the packages that are named, in each revision that holds them', async () => {
      const first = await addRevision(catalogOf(), {
        packages: ['gone', 'kept', 'other', 'replaced'].map((name) => ({
          ...packageOf(name, [1]),
          signature: under('old'),
        })),
      })
      const second = await addRevision(catalogOf(), {
        removed: ['gone', 'replaced'],
        packages: [{ ...packageOf('replaced', [2], 'another'), signature: under('old') }],
      })

      await save(second, {
        gone: under('new'),
        kept: under('new', unsigned),
        replaced: under('new'),
      })

      expect(await verdicts(second)).toEqual({
        kept: 'unsigned new',
        other: 'good old',
        replaced: 'good new',
      })
      expect(await verdicts(first)).toEqual({
        gone: 'good old',
        kept: 'unsigned new',
        other: 'good old',
        replaced: 'good old',
      })
    })

    it('are noted for thousands at once, and for none', async () => {
      const names = Array.from({ length: 4100 }, (_, index) => `p${index}`)
      const revision = await addRevision(catalogOf(), { packages: names.map((name) => packageOf(name, [1])) })

      await save(revision, {})
      await save(revision, Object.fromEntries(names.slice(1).map((name) => [name, under('new')])))

      const left = await listed(revision, { notGoodUnder: 'new' })
      expect(left.map(({ name }) => name)).toEqual(['p0'])
    })

    it('of another repository stay as they are', async () => {
      const other = 'other' as RepositoryId
      const here = await addRevision(catalogOf(), { packages: [packageOf('same', [1])] })
      const there = await catalogOf().write(async (writer) => {
        await writer.saveRepository({ id: other, ecosystem: 'rpm' as EcosystemId, mode: 'mirror' })
        const open = await writer.openRevision(other)
        await writer.addPackages(open, [packageOf('same', [1])])
        return writer.sealRevision(open, new Date(1000), null)
      })

      await save(here, { same: under('new') })

      expect([await verdicts(here), await verdicts(there)]).toEqual([{ same: 'good new' }, { same: null }])
    })
  })
}
