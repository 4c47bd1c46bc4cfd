import { logText } from './logText';
import { plain } from './paint';

describe('a line of a log', () => {
  it.each([
    ['plain text stays as it is', 'listening on {port}', 'listening on {port}'],
    ['pino', '{"level":30,"time":1700000000000,"pid":7,"hostname":"a","msg":"saved","ms":12}', 'INFO saved ms=12'],
    [
      'zap',
      '{"level":"error","ts":1.5,"caller":"main.go:7","msg":"no such order","id":"a b"}',
      'ERROR no such order caller=main.go:7 id="a b"',
    ],
    ['structlog', '{"event":"paid","severity":"WARNING","order":{"id":7}}', 'WARNING paid order={"id":7}'],
    [
      'pino with an error, whose stack stands below',
      '{"level":50,"msg":"no answer","err":{"type":"Error","message":"away","stack":"Error: away\\n    at a.js:1:2","code":"E7"},"id":7}',
      'ERROR no answer err={"code":"E7"} id=7\nError: away\n    at a.js:1:2',
    ],
    [
      'winston and zap with a stack beside the message',
      '{"level":"error","message":"no answer","stack":"Error: away\\n    at a.js:1:2\\n"}',
      'ERROR no answer\nError: away\n    at a.js:1:2',
    ],
    ['an object without a message stays as it is', '{"a":1}', '{"a":1}'],
    ['half an object stays as it is', '{"msg":"a"', '{"msg":"a"'],
    ['a list stays as it is', '{[1]}', '{[1]}'],
  ])('%s', (_what, line, text) => {
    expect(logText(line, plain)).toBe(text);
  });
});
