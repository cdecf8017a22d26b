import type { JsonObject } from '../../core/brand.ts'

/** What the catalog keeps of a Debian package beyond the facts that every package has. Absent is `null`. */
export type AptAttributes = JsonObject & {
  /** As it is configured: `bookworm`, `bookworm-security`, `./` for a flat repository. */
  readonly suite: string
  /** As Release names it: `main`, `updates/main`; empty in a flat repository. */
  readonly component: string
  readonly kind: 'deb' | 'udeb' | 'source'
  readonly section: string | null
  readonly priority: string | null
  /** Name of the source package, where it has another name than the package. */
  readonly source: string | null
  readonly summary: string | null
  /** Installed, in bytes. */
  readonly installed_bytes: number | null
  /** Architectures whose index lists it: a package for `all` is in several. `source` for a source package. */
  readonly indexes: readonly string[]
}
