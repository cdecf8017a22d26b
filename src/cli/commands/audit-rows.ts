import type { AuditedPackage } from '../../app/snapshot/audit-content.ts'
import type { StoredFile, StoredPackage } from '../../core/model.ts'
import type { Column } from '../render/table.ts'
import { formatBytes } from '../render/units.ts'
import { packageDocument, signerOf } from './package-rows.ts'

/** One file of a package: what an audit lists. */
interface AuditRow {
  readonly package: StoredPackage
  readonly file: StoredFile
  readonly origin: string | null
  readonly isUploaded: boolean
}

/** One row a file. */
export function auditRows({ package: pkg, origins, isUploaded }: AuditedPackage): readonly AuditRow[] {
  return pkg.files.map((file, index) => ({ package: pkg, file, origin: origins[index] ?? null, isUploaded }))
}

export const auditColumns: readonly Column<AuditRow>[] = [
  { title: 'KEY', show: (row) => row.package.key },
  { title: 'NAME', spare: 6, show: (row) => row.package.name },
  { title: 'VERSION', spare: 5, show: (row) => row.package.version },
  { title: 'ARCHITECTURE', spare: 5, show: (row) => row.package.architecture ?? '' },
  { title: 'SIZE', align: 'right', show: ({ file }) => formatBytes(file.size), csv: ({ file }) => file.size },
  {
    title: 'SHA256',
    spare: 1,
    show: ({ file }) => file.digest.slice(0, 12),
    csv: ({ file }) => file.digest,
  },
  { title: 'PATH', spare: 7, show: ({ file }) => file.path },
  { title: 'SIGNATURE', spare: 2, show: (row) => row.package.signature?.verdict.state ?? '' },
  {
    title: 'SIGNED BY',
    spare: 4,
    show: ({ package: { signature } }) => (signature && signerOf(signature.verdict)) ?? '',
  },
  { title: 'REPOSITORY', spare: 3, show: (row) => row.package.repository },
  {
    title: 'ORIGIN',
    spare: 7,
    show: ({ origin, isUploaded }) => origin ?? (isUploaded ? 'uploaded' : '-'),
    csv: ({ origin }) => origin,
  },
]

export function auditDocument({ package: pkg, origins }: AuditedPackage): object {
  return {
    ...packageDocument(pkg),
    origin: origins[0] ?? null,
    files: pkg.files.map(({ path, size, digest }, index) => ({
      path,
      sizeBytes: size,
      sha256: digest,
      origin: origins[index] ?? null,
    })),
  }
}
