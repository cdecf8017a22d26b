import type { JsonObject } from '../../core/brand.ts'

/** What the catalog keeps of an RPM beyond the facts that every package has. Absent is `null`. */
export type RpmAttributes = JsonObject & {
  readonly summary: string | null
  readonly license: string | null
  readonly vendor: string | null
  readonly group: string | null
  /** File name of the source package. */
  readonly source_rpm: string | null
  readonly url: string | null
  /** Installed, in bytes. */
  readonly installed_bytes: number | null
  /** As upstream's metadata states it: `sha256:…`. Its digits are the `pkgid` of the native records. */
  readonly checksum: string
}
