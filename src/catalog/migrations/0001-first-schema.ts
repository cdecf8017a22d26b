import type { Migration } from './migrations.ts'

export const firstSchema: Migration = {
  number: 1,
  name: 'first schema',
  statements: ({ key, text, integer, bytes, strict, strictByKey }) => [
    `create table meta (name ${text} primary key, value ${text} not null) ${strictByKey}`,

    `create table repository (
      pk ${key},
      id ${text} not null unique,
      ecosystem ${text} not null,
      mode ${text} not null,
      latest ${integer},
      checkpoint ${text} not null
    ) ${strict}`,

    `create table revision (
      repository ${integer} not null references repository (pk),
      number ${integer} not null,
      mode ${text} not null,
      sealed_at ${integer},
      package_count ${integer} not null,
      total_size ${integer} not null,
      pruned_at ${integer},
      pins ${integer} not null,
      primary key (repository, number)
    ) ${strictByKey}`,
    'create index revision_kept on revision (repository, number) where pruned_at is null',

    `create table blob (
      pk ${key},
      digest ${text} not null unique,
      size ${integer} not null,
      wanted_at ${integer} not null
    ) ${strict}`,
    'create index blob_wanted_at on blob (wanted_at)',

    `create table blob_checksum (
      algorithm ${text} not null,
      hex ${text} not null,
      blob ${integer} not null references blob (pk) on delete cascade,
      primary key (algorithm, hex)
    ) ${strictByKey}`,
    'create index blob_checksum_blob on blob_checksum (blob)',

    `create table package (
      pk ${key},
      repository ${integer} not null references repository (pk),
      key ${text} not null,
      name ${text} not null,
      version ${text} not null,
      architecture ${text},
      built_at ${integer},
      identity ${text} not null,
      attributes ${text} not null,
      added_in ${integer} not null,
      removed_in ${integer}
    ) ${strict}`,
    // One row a key in the newest revision, open or sealed: the rule that interval rows stand on.
    'create unique index package_current on package (repository, key) where removed_in is null',
    'create index package_key on package (repository, key, added_in)',
    'create index package_added on package (repository, added_in)',
    'create index package_removed on package (repository, removed_in) where removed_in is not null',

    `create table package_file (
      package ${integer} not null references package (pk) on delete cascade,
      position ${integer} not null,
      path ${text} not null,
      blob ${integer} not null references blob (pk),
      primary key (package, position)
    ) ${strictByKey}`,
    'create index package_file_blob on package_file (blob)',

    `create table record_chunk (
      pk ${key},
      repository ${integer} not null references repository (pk),
      added_in ${integer} not null,
      live ${integer} not null,
      data ${bytes} not null
    ) ${strict}`,
    'create index record_chunk_added on record_chunk (repository, added_in)',

    // No reference to the chunk: it would need an index as large as the table, and chunks go only when nothing names them.
    `create table package_record (
      package ${integer} not null references package (pk) on delete cascade,
      part ${text} not null,
      chunk ${integer} not null,
      position ${integer} not null,
      primary key (package, part)
    ) ${strictByKey}`,

    `create table repository_file (
      pk ${key},
      repository ${integer} not null references repository (pk),
      path ${text} not null,
      blob ${integer} not null references blob (pk),
      added_in ${integer} not null,
      removed_in ${integer}
    ) ${strict}`,
    'create unique index repository_file_current on repository_file (repository, path) where removed_in is null',
    'create index repository_file_path on repository_file (repository, path)',
    'create index repository_file_added on repository_file (repository, added_in)',
    'create index repository_file_removed on repository_file (repository, removed_in) where removed_in is not null',
    'create index repository_file_blob on repository_file (blob)',

    `create table snapshot (
      pk ${key},
      repository ${integer} not null,
      name ${text} not null,
      revision ${integer} not null,
      created_at ${integer} not null,
      description ${text},
      labels ${text} not null,
      unique (repository, name),
      foreign key (repository, revision) references revision (repository, number)
    ) ${strict}`,
    'create index snapshot_revision on snapshot (repository, revision)',

    `create table publication (
      path ${text} primary key,
      current ${text},
      held_since ${integer}
    ) ${strictByKey}`,

    `create table generation (
      pk ${key},
      publication ${text} not null references publication (path) on delete cascade,
      name ${text} not null,
      published_at ${integer} not null,
      packages ${integer} not null,
      files ${integer} not null,
      signed_by ${text},
      fingerprint ${text} not null,
      unique (publication, name)
    ) ${strict}`,

    `create table generation_source (
      generation ${integer} not null references generation (pk) on delete cascade,
      position ${integer} not null,
      repository ${integer} not null,
      revision ${integer} not null,
      source ${text} not null,
      primary key (generation, position),
      foreign key (repository, revision) references revision (repository, number)
    ) ${strictByKey}`,
    'create index generation_source_revision on generation_source (repository, revision)',

    `create table sync (
      pk ${key},
      repository ${text} not null,
      started_at ${integer} not null,
      finished_at ${integer} not null,
      status ${text} not null,
      revision ${integer},
      packages ${integer} not null,
      added ${integer} not null,
      removed ${integer} not null,
      replaced ${integer} not null,
      fetched_files ${integer} not null,
      fetched_bytes ${integer} not null,
      missing ${text} not null,
      warnings ${text} not null,
      error ${text},
      signed_by ${text}
    ) ${strict}`,
    'create index sync_repository on sync (repository, started_at)',
    'create index sync_started on sync (started_at)',

    `create table lease (
      pk ${key},
      resource ${text} not null,
      mode ${text} not null,
      state ${text} not null,
      purpose ${text} not null,
      host ${text} not null,
      machine ${text} not null,
      boot ${text} not null,
      namespace ${text} not null,
      pid ${integer} not null,
      process_start ${text} not null,
      acquired_at ${integer} not null,
      expires_at ${integer} not null
    ) ${strict}`,
    'create index lease_resource on lease (resource)',
  ],
}
