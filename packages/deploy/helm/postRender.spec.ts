import { postRender } from './postRender';

const tried = [{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'a', annotations: { own: 'yes' } }, data: { A: 'tried' } }];

it('gives helm 3 the objects that were tried, each with the template that it is from', () => {
  const made = '---\n# Source: web/templates/a.yaml\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\ndata: {A: random}\n';
  expect(postRender(made, tried)).toBe(
    '---\n# Source: web/templates/a.yaml\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n  annotations:\n    own: "yes"\ndata:\n  A: tried\n',
  );
});

it('gives helm 4 its marks back, and its hooks as they were', () => {
  const mark = (name: string) => `postrenderer.helm.sh/postrender-filename: web/templates/${name}.yaml`;
  const hook = `apiVersion: batch/v1\nkind: Job\nmetadata: {name: migrate, annotations: {helm.sh/hook: post-install, ${mark('job')}}}`;
  const text = `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n  annotations:\n    ${mark('a')}\ndata:\n  A: |\n    helm.sh/hook: no\n`;
  const answer = postRender(`${text}---\n${hook}\n`, tried);
  expect(answer).toContain(`---\n${hook}\n`);
  expect(answer).toContain(`  annotations:\n    own: "yes"\n    ${mark('a')}\ndata:\n  A: tried\n`);
  expect(answer).not.toContain('# Source');
});
