import type { GenerationName } from './publications.ts'

/**
 * Whole seconds, because HTTP's and APT's dates have no more; later than anything published before, because clients
 * discard what looks older than what they have, also after a rollback or with a clock that was set back.
 * @param last the latest publish time of this path ever; `null` for none
 */
export function nextPublishTime(now: Date, last: Date | null): Date {
  const second = Math.floor(now.getTime() / 1000)
  const lastSecond = last === null ? -1 : Math.floor(last.getTime() / 1000)
  return new Date(Math.max(second, lastSecond + 1) * 1000)
}

/** `20260822T141503Z-1` */
export function generationName(publishedAt: Date, counter: number): GenerationName {
  const compact = publishedAt.toISOString().replace(/[-:]|\.\d+/g, '')
  return `${compact}-${counter}`
}

/** The publish time that a name says. */
export function timeOfGeneration(name: GenerationName): Date {
  return new Date(name.replace(/^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z-\d+$/, '$1-$2-$3T$4:$5:$6Z'))
}

/** Its end only: a link's name may hold anything before it. */
export const generationNamePattern = /\d{8}T\d{6}Z-\d+/
