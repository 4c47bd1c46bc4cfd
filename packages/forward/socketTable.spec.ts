import { readSocketTable } from './socketTable';

const line = (local: string, remote: string, state: string, inode: number): string =>
  `   0: ${local} ${remote} ${state} 00000000:00000000 00:00000000 00000000  1000        0 ${inode} 1 0000000000000000 20 4 30 10 -1`;
const loopback = '0100007F';
const loopback6 = '00000000000000000000000001000000';

describe('readSocketTable', () => {
  it.each([
    ['a listener of any address', [line('00000000:0BB8', '00000000:0000', '0A', 7)], { listeners: ['7'], held: 0 }],
    ['a listener of another port is none', [line('00000000:0BB9', '00000000:0000', '0A', 7)], { listeners: [], held: 0 }],
    [
      'both ends of a forwarded connection are in it, and it is one',
      [line(`${loopback}:0BB8`, `${loopback}:C001`, '01', 8), line(`${loopback}:C001`, `${loopback}:0BB8`, '01', 9)],
      { listeners: [], held: 1 },
    ],
    ['one that the pod has ended is held no more', [line(`${loopback6}:C001`, `${loopback6}:0BB8`, '08', 9)], { listeners: [], held: 0 }],
    ['one that the pod itself opened elsewhere is none', [line('0400F40A:C001', '0500F40A:0BB8', '01', 9)], { listeners: [], held: 0 }],
    ['words of a failed command', ['grep: /proc/net/tcp6: No such file or directory', ''], { listeners: [], held: 0 }],
  ])('%s', (_, lines, { listeners, held }) => {
    expect(readSocketTable(lines.join('\n'), 3000)).toEqual({ listeners: new Set(listeners), held });
  });
});
