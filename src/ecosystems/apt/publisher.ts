import type { PublicationSink } from '../../core/publication.ts'
import type { PublishInput, RenewInput } from '../ecosystem.ts'
import type { AptAttributes } from './attributes.ts'
import { publishGenerated } from './generated-publisher.ts'
import { publishMirror } from './mirror-publisher.ts'
import type { AptOptions } from './options.ts'
import { renewReleases } from './signed-release.ts'

export type AptPublishInput = PublishInput<AptOptions, AptAttributes>

/** A tree is wholly verbatim or wholly generated. */
export function publishApt(input: AptPublishInput, sink: PublicationSink): Promise<void> {
  return input.mode === 'mirror' ? publishMirror(input, sink) : publishGenerated(input, sink)
}

/** A verbatim tree states no time of ours. */
export async function renewApt(input: RenewInput, sink: PublicationSink): Promise<void> {
  if (input.mode !== 'mirror') await renewReleases(input, sink)
}
