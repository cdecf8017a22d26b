import type { StoredPackage } from '../../core/model.ts'
import { describeVerdict, type PackageVerdict } from '../../core/package-signature.ts'
import type { Column } from '../render/table.ts'
import { formatBytes } from '../render/units.ts'

/** Packages as lists show them. */
export const packageColumns: readonly Column<StoredPackage>[] = [
  { title: 'KEY', show: ({ key }) => key },
  { title: 'NAME', spare: 5, show: ({ name }) => name },
  { title: 'VERSION', spare: 4, show: ({ version }) => version },
  { title: 'ARCHITECTURE', spare: 4, show: ({ architecture }) => architecture ?? '' },
  { title: 'SIZE', align: 'right', show: (pkg) => formatBytes(sizeOf(pkg)), csv: sizeOf },
  {
    title: 'SHA256',
    spare: 3,
    show: ({ files }) => files[0].digest.slice(0, 12),
    csv: ({ files }) => files[0].digest,
  },
  { title: 'PATH', spare: 6, show: ({ files }) => files[0].path },
  { title: 'SIGNATURE', spare: 2, show: ({ signature }) => signature?.verdict.state ?? '' },
  { title: 'REPOSITORY', spare: 1, show: ({ repository }) => repository },
]

/** A package as results for machines have it. */
export function packageDocument(pkg: StoredPackage): object {
  const { key, name, version, architecture, files, repository } = pkg
  return {
    key,
    name,
    version,
    architecture,
    sizeBytes: sizeOf(pkg),
    sha256: files[0].digest,
    path: files[0].path,
    repository,
    signature: pkg.signature && verdictDocument(pkg.signature.verdict),
  }
}

/** A verdict as results for machines have it. */
function verdictDocument(verdict: PackageVerdict): object {
  const { state } = verdict
  return {
    verdict: state,
    key: signerOf(verdict),
    signedAt: state === 'good' ? verdict.signedAt : null,
    reason: state === 'good' ? null : describeVerdict(verdict),
  }
}

/** Fingerprint of the key that signed; its id, where the signature names no more; `null` where there is none. */
export function signerOf(verdict: PackageVerdict): string | null {
  if ('fingerprint' in verdict) return verdict.fingerprint
  if (verdict.state === 'unknown-key') return verdict.keyIds[0] ?? null
  return 'keyId' in verdict ? verdict.keyId : null
}

function sizeOf({ files }: StoredPackage): number {
  return files.reduce((sum, { size }) => sum + size, 0)
}
