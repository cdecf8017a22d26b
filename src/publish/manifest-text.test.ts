import { describe, expect, it } from 'vitest'
import type { RepositoryId } from '../core/model.ts'
import { parseRelativePath } from '../core/path.ts'
import { formatGeneration, type GenerationManifest, parseGeneration } from './generation-manifest.ts'
import { at, sha256 } from './publications.test-support.ts'
import { formatClaim, parseClaim } from './shelf-claim.ts'
import { formatShelf, parseShelf, type ShelfEntries } from './shelf-manifest.ts'

const path = parseRelativePath('Packages/b/bash 5.1 ü.rpm')

describe('manifests', () => {
  it('of generations come back as they were', () => {
    const manifest: GenerationManifest = {
      publication: parseRelativePath('repositories/epel9/latest'),
      name: '20261123T101500Z-1',
      publishedAt: at('10:15:00'),
      files: 3,
      repositories: ['epel9' as RepositoryId],
      metadata: [
        { path, role: 'entry', size: 0, digest: null, supersededAt: null },
        { path, role: 'addressed', size: 5_000_000_000, digest: sha256('y'), supersededAt: at('09:00:00') },
      ],
      direct: [{ path, digest: sha256('x'), size: 1, repository: 'a' as RepositoryId, supersededAt: null }],
    }

    expect(parseGeneration(formatGeneration(manifest), 'file')).toEqual({ kind: 'generation', ...manifest })
  })

  it('of shelves come back as they were', () => {
    const entries: ShelfEntries = new Map([
      [parseRelativePath('a'), { digest: sha256('a'), size: 1, wanted: { state: 'wanted' } }],
      [path, { digest: sha256('b'), size: 2, wanted: { state: 'unwanted', since: 1_700_000_000_000 } }],
      [parseRelativePath('c'), { digest: sha256('c'), size: 3, wanted: { state: 'removing' } }],
    ])

    expect(parseShelf(formatShelf(entries), 'file')).toEqual(entries)
  })

  it('of claims tell what is wanted from what is carried along', () => {
    const claim = {
      publication: 'a',
      generation: '20261123T101500Z-1',
      shelf: 2,
      paths: ['x', 'y'],
      carried: ['z'],
    }

    expect(parseClaim(formatClaim(claim), 'file')).toMatchObject(claim)
  })

  it.each([
    ['cut short', (text: string) => text.slice(0, -10)],
    ['cut by a line', (text: string) => `${text.split('\n').slice(0, -2).join('\n')}\n`],
    ['changed', (text: string) => text.replace('rpm', 'deb')],
    ['changed in their first line', (text: string) => text.replace('shelf', 'self')],
    ['empty', () => ''],
    ['not a manifest', () => '{"a":1}\n'],
  ])('that are %s are refused', (_title, damage) => {
    const entries = new Map([[path, { digest: sha256('a'), size: 1, wanted: { state: 'wanted' } as const }]])
    const text = Buffer.from(formatShelf(entries)).toString()

    expect(() => parseShelf(Buffer.from(damage(text)), '1.manifest')).toThrow(
      expect.objectContaining({ code: 'CATALOG_CORRUPT', message: 'damaged manifest: 1.manifest' }),
    )
  })

  it('of a later version are refused with a hint', () => {
    const text = Buffer.from(formatShelf(new Map())).toString().replace('"format":1', '"format":2')

    expect(() => parseShelf(Buffer.from(text), '1.manifest')).toThrow(
      expect.objectContaining({ code: 'CATALOG_TOO_NEW', hint: expect.any(String) }),
    )
  })
})
