import { type Command, InvalidArgumentError } from 'commander'

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

/** As use cases take it. */
export function selectionOf(ids: readonly string[], { repoId, pattern, all, type }: SelectionOptions) {
  return { ids: [...ids, ...repoId, ...pattern], all: all ?? false, type }
}

export function positiveInteger(text: string): number {
  const value = Number(text)
  if (!Number.isSafeInteger(value) || value < 1)
    throw new InvalidArgumentError('It has to be a whole number from 1.')
  return value
}

const collect = (value: string, before: readonly string[]) => [...before, value]
