import { fillTemplate, variablesOf } from '.';

const env: Readonly<Record<string, string>> = { SET: 'x', EMPTY: '', DOLLAR: '$SET ${SET} $$' };
const fill = (template: string) => fillTemplate(template, { value: (name) => env[name] });

describe('a template', () => {
  it.each([
    ['no variables', 'no variables'],
    ['${SET}-${EMPTY}-${NOT:-d}-$$-$SET', 'x--d-$-$SET'],
    ['${EMPTY:-d}', 'd'],
    ['${NOT:-}', ''],
    ['$${SET}', '${SET}'],
    ['$$${SET}', '$x'],
    // A value is a value, whatever is in it.
    ['${DOLLAR}', '$SET ${SET} $$'],
  ])('%s is %j', (template, text) => {
    expect(fill(template)).toEqual({ text, missing: [], mistakes: [] });
  });

  it('tells each variable that has neither value nor default once, with its place', () => {
    expect(fill('a-${NOT}${SET}${NOT}${NEITHER}').missing).toEqual([
      { name: 'NOT', offset: 2 },
      { name: 'NEITHER', offset: 20 },
    ]);
  });

  it.each([
    ['x${SET', 1, 'a ${ has no } after it'],
    ['${a-b}', 0, '${a-b} is not a variable'],
    ['${}', 0, '${} is not a variable'],
    ['${1A}', 0, '${1A} is not a variable'],
  ])('%s has a mistake at %d', (template, offset, message) => {
    expect(fill(template).mistakes).toMatchObject([{ offset, message: expect.stringContaining(message) as string }]);
  });

  it('can leave variables for later, and what is filled in first is not filled in again', () => {
    const first = fillTemplate('$$${LATER}-${DOLLAR}-${LATER:-d}', { value: (name) => env[name], later: (name) => name === 'LATER' });
    expect(first.missing).toEqual([]);
    expect(fillTemplate(first.text, { value: () => 'now' }).text).toBe('$now-$SET ${SET} $$-now');
  });

  it('tells which variables it has', () => {
    expect(variablesOf('${B}${A:-x}$$${B} $${C}')).toEqual(['B', 'A']);
  });
});
