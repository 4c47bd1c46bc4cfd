import type { InitDocument } from './documents';

/** What `init` changed and found. Of Nx nothing is left to say. */
export function initLines({ kind, dryRun, changes, notes, survey }: InitDocument): readonly string[] {
  if (kind === 'nx') return [];
  const written = changes.flatMap(({ path, created, because }) => [
    `${dryRun ? 'WOULD ' : ''}${created ? 'CREATE' : 'UPDATE'} ${path}`,
    ...because.map((reason) => `  ${reason}`),
  ]);
  return [
    ...(written.length > 0 ? written : ['Everything is set up.']),
    ...notes.flatMap((note) => ['', note]),
    ...(survey.length > 0 ? ['', ...survey] : []),
  ];
}
