import type { RepositoryId } from '../core/model.ts'
import { joinRelativePath, parseRelativePath, type RelativePath } from '../core/path.ts'
import type { ShelfLink } from './earlier-generation.ts'

/** Under which folder of a tree a repository's packages stand: in a view each member's under its own, otherwise at the top. */
export class Mounts {
  readonly #folders = new Map<RepositoryId, RelativePath>()

  set(repository: RepositoryId, folder: RelativePath | ''): void {
    if (folder !== '') this.#folders.set(repository, folder)
  }

  /** As a tree shows that was made before. */
  learn({ repository, folder, below }: ShelfLink): void {
    if (folder === below) return
    this.#folders.set(
      repository,
      parseRelativePath(below === '' ? folder : folder.slice(0, -below.length - 1)),
    )
  }

  has(repository: RepositoryId): boolean {
    return this.#folders.has(repository)
  }

  /** What a path of the tree is on the repository's shelf; empty for the folder below which all of it stands. */
  onShelf(repository: RepositoryId, file: string): string {
    const folder = this.#folders.get(repository)
    return folder === undefined ? file : file.slice(folder.length + 1)
  }

  /** Where the tree shows a file of the repository's shelf. */
  inTree(repository: RepositoryId, file: RelativePath): RelativePath {
    const folder = this.#folders.get(repository)
    return folder === undefined ? file : joinRelativePath(folder, file)
  }
}
