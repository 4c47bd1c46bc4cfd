import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const root = join(__dirname, '../..');
const readme = readFileSync(join(root, 'README.md'), 'utf8');
const { files } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { readonly files: readonly string[] };

const linked = readme.split('\n').flatMap((line) =>
  [...line.matchAll(/\]\((?!https?:|#)([^)#]+)[^)]*\)/g)].map(([, path = '']) => ({
    path,
    // In the package README says of them that they are elsewhere.
    isElsewhere: line.includes('in the repository'),
  })),
);

it.each(linked)('$path, to which README links, is in the package, or README says that it is in the repository', ({ path, isElsewhere }) => {
  expect(existsSync(join(root, path))).toBe(true);
  expect(files.includes(path)).toBe(!isElsewhere);
});
