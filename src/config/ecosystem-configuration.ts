import type { z } from 'zod'
import type { EcosystemId, RepositoryMode } from '../core/model.ts'
import type { OptionMistake } from '../ecosystems/ecosystem.ts'

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
  /** Whether it knows when packages were built. */
  readonly statesBuildTime: boolean
  /** Whether metalinks list its root document. */
  readonly hasMetalinks: boolean
  /** Options that do something in these modes alone, by key. */
  readonly optionModes?: Readonly<Record<string, readonly RepositoryMode[]>>
  /** What its options, each sound in itself, ask for in vain of a repository in this mode. */
  optionMistakes?(options: object, mode: RepositoryMode): readonly OptionMistake[]
  /** How its packages carry signatures of their own; `null` where they carry none. */
  readonly packageSignatures: object | null
}

export type EcosystemConfigurations = ReadonlyMap<EcosystemId, EcosystemConfiguration>
