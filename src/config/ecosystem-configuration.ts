import type { z } from 'zod'
import type { EcosystemId } from '../core/model.ts'

/** What the configuration needs to know of an ecosystem. An `Ecosystem` of the registry is one. */
export interface EcosystemConfiguration {
  readonly id: EcosystemId
  /** As users write it: `RPM`, `APT`. */
  readonly title: string
  /** What stands under the ecosystem's id; given `{}` where a repository has none. Strict, with a description on every key. */
  readonly options: z.ZodType<object>
  /** The key under `filters` that holds the ecosystem's own: `rpm`, `deb`. */
  readonly filterKey: string
  readonly filters: z.ZodType<object>
  /** How its packages carry signatures of their own; `null` where they carry none. */
  readonly packageSignatures: object | null
}

export type EcosystemConfigurations = ReadonlyMap<EcosystemId, EcosystemConfiguration>
