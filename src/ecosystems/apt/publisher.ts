import type { RelativePath } from '../../core/path.ts'
import type { PublicationSink } from '../../core/publication.ts'
import type { PublishInput, RenewInput, RevisionContent, ViewInput } from '../ecosystem.ts'
import type { AptAttributes } from './attributes.ts'
import { publishGenerated } from './generated-publisher.ts'
import { publishMirror } from './mirror-publisher.ts'
import type { AptOptions } from './options.ts'
import { renewReleases } from './signed-release.ts'

export type AptPublishInput = PublishInput<AptOptions, AptAttributes>
export type AptViewInput = ViewInput<AptOptions, AptAttributes>

/** One repository of those that a tree is generated from. */
export interface AptMember extends RevisionContent<AptOptions, AptAttributes> {
  /** Where its packages stand in the tree; `null` where it is the only one, at the top. */
  readonly folder: RelativePath | null
}

/** A tree is wholly verbatim or wholly generated. */
export function publishApt(input: AptPublishInput, sink: PublicationSink): Promise<void> {
  return input.mode === 'mirror' ? publishMirror(input, sink) : publishGenerated(input, sink)
}

/** A verbatim tree states no time of ours. */
export async function renewApt(input: RenewInput, sink: PublicationSink): Promise<void> {
  if (input.mode !== 'mirror') await renewReleases(input, sink)
}
