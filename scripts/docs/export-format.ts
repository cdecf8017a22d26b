import { exportHeader, exportItems, exportVersion } from '../../src/transfer/export-schema.ts'
import { renderFields } from './results.ts'

export function renderExportFormat(): string {
  return `${[
    '# What an export holds',
    '<!-- Made by `npm run docs` from src/transfer/export-schema.ts and scripts/docs/export-format.ts. Change those, not this page. -->',
    `\`chantal db export\` writes, and \`chantal db import\` reads, version ${exportVersion} of this format. An export is a list of items: a repository,
then its revisions, the files and packages that they hold, its snapshots and its history; then the next repository; after the last one snapshots of views;
at last an item that says that all is there. Both databases give and take the same: what was imported and is exported again is equal, byte for byte.`,
    `It holds what makes repositories: also the native records that metadata is generated from, signature verdicts, and checksums by which files are
known. It does not hold the files themselves, which are the pool's; publications, which are made anew; leases; and nothing of the
host, the path or the moment of exporting. Only the last state of a revision that is being made is left out: an export is of one moment, and a
sync at work is not waited for.`,
    '## Files',
    `A name that ends in \`.json\` or \`.yaml\`, with \`.gz\` or \`.zst\` after it or not, chooses how it is written; \`--as\` does where the name does not.
What is imported tells by its content. All are written and read item by item, in memory that does not grow with them.`,
    `**JSON** is one document: an object whose \`items\` are the array. Each item stands on a line of its own, so that programs which work by lines can take
it apart as well. Whoever writes one keeps the header's members before \`items\`, and the order of items; white space and the order of other names
do not matter.`,
    '```json\n{"chantal_export":1,"catalog":"0deb49c0-01df-4d6d-a086-eb251ba62b57","items":[\n{"type":"repository","id":"epel9",...},\n{"type":"end","repositories":1,"view_snapshots":0}\n]}\n```',
    '**YAML** is a stream: a document with the header, and a document for each item. Aliases and tags are not read.',
    '## Importing',
    `Each repository is added whole, in one step at its end, or not at all. One that the catalog has already is left as it is: where it is equal
(but for its history, the note of its last sync, and verdicts) it counts as \`unchanged\`; otherwise it is \`refused\`, the others are added all the same, and the
exit status is that of \`ALREADY_EXISTS\`. Nothing is ever replaced. Snapshots of views follow, by the same rules; one of whose members was refused is refused too, and
an export of some repositories holds those whose members are all among them. Where an import stops, it can be given the same file again.`,
    `A catalog in which nothing is takes over the id in the header, and with it the pool that carries that id. So the database is restored beside its
pool: configure both, import, and all is as it was, but for what is published. An export of some repositories has no id: who imports one
keeps their own. Two catalogs with one id must not share a pool; garbage collection by one would take what only the other needs.`,
    `Blobs that the pool lacks are counted. Until \`chantal pool verify --repair\` has fetched them, what needs them cannot be published
(\`BLOB_MISSING\`), and garbage collection stops and says so, since it cannot tell a pool that is not mounted from one that is not filled.`,
    `Everything is checked against what follows, with the line of what is wrong in the message: forms, order, revisions without gaps, packages in revisions
that are kept, as many of them as each revision says, sizes and checksums that do not contradict the catalog. What cannot be checked is whether it is true: an export says
which file has which SHA-1, and which package was signed well. Import only what you trust as you do your own catalog.`,
    '## Header',
    renderFields(exportHeader),
    '## Items',
    `Times are UTC in ISO 8601 with milliseconds. Items stand in this order; repositories in order of their ids, revisions of their numbers, files of their paths and
packages of their keys (byte by byte, and of \`added_in\` where those are equal), snapshots of their creation, history oldest first; snapshots of views in order of views, then of their creation.`,
    `Files and packages stand once, with the revisions that hold them: from \`added_in\` up to, and without, \`removed_in\`. Revision 7 consists of those
with \`added_in\` at most 7 and \`removed_in\` \`null\` or more than 7.`,
    ...Object.entries(exportItems).flatMap(([type, shape]) => [`### ${type}`, renderFields(shape, ['type'])]),
    '## Other versions',
    `A reader refuses a version that is newer than it knows, and items and fields that it does not know: what it did not understand would be missing. Whoever
adds something to the catalog that an export is to hold (publications, say) adds an item to \`src/transfer/export-schema.ts\`, its place in the order to
\`encodeAll\` in \`src/app/transfer/export-catalog.ts\` and its reading to \`importCatalog\`, and raises \`exportVersion\`; versions before stay readable. What belongs to
several repositories stands after the last of them, and is added in one transaction after them.`,
  ].join('\n\n')}\n`
}
