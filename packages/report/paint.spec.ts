import { onAnyGround, paintFor } from './paint';

/** https://www.w3.org/TR/WCAG22/#dfn-relative-luminance, of a colour of the cube that 256 colours have. */
function luminanceOf(colour: number): number {
  const at = colour - 16;
  const levels = [0, 95, 135, 175, 215, 255];
  const part = (index: number): number => {
    const value = (levels[index] ?? 0) / 255;
    return value <= 0.03928 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  };
  return 0.2126 * part(Math.floor(at / 36)) + 0.7152 * part(Math.floor(at / 6) % 6) + 0.0722 * part(at % 6);
}

describe('colours', () => {
  const { names, green, yellow, cyan } = onAnyGround;
  it.each([...names, green, yellow, cyan])('%i can be read on white and on black', (colour) => {
    expect(1.05 / (luminanceOf(colour) + 0.05)).toBeGreaterThan(3.2);
    expect((luminanceOf(colour) + 0.05) / 0.05).toBeGreaterThan(3.2);
  });

  it.each([
    ['a terminal that has 256', { isTTY: true, env: { TERM: 'tmux-256color' } }, '\u001b[38;5;28mready\u001b[39m'],
    ['one that says so otherwise', { isTTY: true, env: { TERM: 'xterm', COLORTERM: 'truecolor' } }, '\u001b[38;5;28mready\u001b[39m'],
    ['one that has sixteen', { isTTY: true, env: { TERM: 'linux' } }, '\u001b[32mready\u001b[39m'],
    ['one whose owner wants none', { isTTY: true, env: { TERM: 'tmux-256color', NO_COLOR: '1' } }, 'ready'],
    ['no terminal', { isTTY: false, env: { TERM: 'tmux-256color' } }, 'ready'],
    ['no terminal, but they are wanted', { isTTY: false, env: { FORCE_COLOR: '1' } }, '\u001b[32mready\u001b[39m'],
  ])('are those of %s', (_what, stream, text) => {
    expect(paintFor(stream).green('ready')).toBe(text);
  });
});
