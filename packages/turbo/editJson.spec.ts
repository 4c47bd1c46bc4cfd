import { withItems, withProperty } from './editJson';

describe('a property is added', () => {
  const cases: { what: string; before: string; after: string }[] = [
    {
      what: 'behind the last one, whose comment stays beside it',
      before: '{\n  "a": {\n    "b": 1 // one\n  }\n}\n',
      after: '{\n  "a": {\n    "b": 1, // one\n    "x": true\n  }\n}\n',
    },
    {
      what: 'with the comma that the others have',
      before: '{\n  "a": {\n    "b": 1,\n  },\n}\n',
      after: '{\n  "a": {\n    "b": 1,\n    "x": true,\n  },\n}\n',
    },
    { what: 'to an empty object', before: '{\n  "a": {}\n}\n', after: '{\n  "a": {\n    "x": true\n  }\n}\n' },
    {
      what: 'to an object with nothing but a comment',
      before: '{\n  "a": {\n    // later\n  }\n}\n',
      after: '{\n  "a": {\n    // later\n    "x": true\n  }\n}\n',
    },
    {
      what: 'to an object on one line, which it then is not any more',
      before: '{\n  "a": { "b": [1, 2] }\n}\n',
      after: '{\n  "a": {\n    "b": [1, 2],\n    "x": true\n  }\n}\n',
    },
    { what: 'to a file on one line', before: '{"c": 1}', after: '{\n  "c": 1,\n  "a": {\n    "x": true\n  }\n}' },
    {
      what: 'with an object around it where that is missing',
      before: '{\n\t"c": 1\n}\n',
      after: '{\n\t"c": 1,\n\t"a": {\n\t\t"x": true\n\t}\n}\n',
    },
    {
      what: 'with the line ends of the file',
      before: '{\r\n  "a": {\r\n    "b": 1\r\n  }\r\n}\r\n',
      after: '{\r\n  "a": {\r\n    "b": 1,\r\n    "x": true\r\n  }\r\n}\r\n',
    },
    {
      what: 'to an object that ends on the line of its last property',
      before: '{\n  "a": { "b": 1,\n    "c": 2 }\n}',
      after: '{\n  "a": { "b": 1,\n    "c": 2,\n    "x": true\n  }\n}',
    },
  ];
  it.each(cases)('$what', ({ before, after }) => {
    expect(withProperty(before, ['a'], 'x', true)).toBe(after);
  });
});

it.each([
  ['{"a": ["b"]}', '{"a": ["b", "x", "y"]}'],
  ['{\n  "a": []\n}', '{\n  "a": [\n    "x",\n    "y"\n  ]\n}'],
  ['{\n  "a": [\n    "b" // b\n  ]\n}', '{\n  "a": [\n    "b", // b\n    "x",\n    "y"\n  ]\n}'],
])('items are added to a list as it is written: %j', (before, after) => {
  expect(withItems(before, ['a'], ['x', 'y'])).toBe(after);
});
