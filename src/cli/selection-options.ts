import { type Command, InvalidArgumentError } from 'commander'
import type { RepositorySelection } from '../app/configured.ts'
import type { EcosystemId } from '../core/model.ts'
import type { Session } from './session.ts'

/** Options that choose repositories, beside the ids that a command takes. */
export interface SelectionOptions {
  readonly repoId: readonly string[]
  readonly pattern: readonly string[]
  readonly all?: boolean
  readonly type?: string
}

export function addSelection(command: Command): Command {
  return command
    .argument('[id...]', 'ids, or shell patterns of ids')
    .option('--repo-id <id>', 'another way to name a repository', collect, [])
    .option('--pattern <glob>', 'ids as a shell pattern', collect, [])
    .option('--all', 'every enabled repository')
    .option('--type <ecosystem>', 'every enabled repository of this ecosystem')
}

/** As use cases take it. @throws ChantalError `USAGE_INVALID` for an ecosystem that there is not */
export async function selectionOf(
  session: Session,
  ids: readonly string[],
  { repoId, pattern, all, type }: SelectionOptions,
): Promise<RepositorySelection> {
  const ecosystem = type === undefined ? undefined : await ecosystemNamed(session, type)
  return { ids: [...ids, ...repoId, ...pattern], all: all ?? false, type: ecosystem }
}

/** What `--type` names. @throws ChantalError `USAGE_INVALID` */
export async function ecosystemNamed({ services }: Session, type: string): Promise<EcosystemId> {
  const { parseEcosystem } = await import('../app/configured.ts')
  return parseEcosystem(await services.ecosystems(), type)
}

export function positiveInteger(text: string): number {
  const value = Number(text)
  if (!Number.isSafeInteger(value) || value < 1)
    throw new InvalidArgumentError('It has to be a whole number from 1.')
  return value
}

const collect = (value: string, before: readonly string[]) => [...before, value]
