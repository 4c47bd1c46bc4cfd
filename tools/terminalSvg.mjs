// A screen of a terminal as an SVG: what `tmux capture-pane -e` prints goes in. It follows the reader's light or dark theme.
const cell = { width: 8.4, height: 19 };
const margin = 16;

const colours = {
  light: {
    ground: '#ffffff',
    text: '#24292f',
    rule: '#d0d7de',
    palette: ['#24292f', '#cf222e', '#116329', '#8a5a00', '#0969da', '#8250df', '#1b7c83', '#57606a'],
  },
  dark: {
    ground: '#0d1117',
    text: '#e6edf3',
    rule: '#30363d',
    palette: ['#6e7681', '#ff7b72', '#56d364', '#e3b341', '#79c0ff', '#d2a8ff', '#56d4dd', '#e6edf3'],
  },
};

/** `text` has a line for each row of the screen, with colours as escape sequences. */
export function terminalSvg(text, { title }) {
  const rows = rowsIn(text.replace(/\n+$/, ''));
  const columns = Math.max(...rows.flat().map(({ at, text: part }) => at + [...part].length));
  const [width, height] = [Math.ceil(columns * cell.width + 2 * margin), rows.length * cell.height + 2 * margin];
  const lines = rows.flatMap((spans, row) => {
    const shown = spans.filter(({ text: part }) => part.trim() !== '');
    if (shown.length === 0) return [];
    const y = margin + (row + 0.75) * cell.height;
    return [`<text y="${y.toFixed(1)}">${shown.map(spanSvg).join('')}</text>`];
  });
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" aria-label="${escaped(title)}">
<style>
${themeCss(colours.light)}
${cubeCss(rows)}
@media (prefers-color-scheme: dark) {
${themeCss(colours.dark)}
}
text { font: 14px ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace; white-space: pre }
.b { font-weight: 600 } .d { opacity: .62 } .u { text-decoration: underline }
</style>
<rect class="ground" width="100%" height="100%" rx="8"/>
${lines.join('\n')}
</svg>
`;
}

function themeCss({ ground, text, rule, palette }) {
  const classes = palette.map((colour, index) => `.c${index} { fill: ${colour} }`);
  return `.ground { fill: ${ground}; stroke: ${rule} } text { fill: ${text} } ${classes.join(' ')}`;
}

function cubeCss(rows) {
  const names = new Set(rows.flat().flatMap(({ look }) => [...look].filter((name) => name.startsWith('x'))));
  const levels = [0, 95, 135, 175, 215, 255];
  return [...names]
    .map((name) => {
      const at = Number(name.slice(1)) - 16;
      const parts = [Math.floor(at / 36), Math.floor(at / 6) % 6, at % 6].map((part) => levels[part].toString(16).padStart(2, '0'));
      return `.${name} { fill: #${parts.join('')} }`;
    })
    .join(' ');
}

/** Each stretch of one look has a place of its own, so that columns stay in line whatever the font. */
function spanSvg({ at, text, look }) {
  const lead = text.length - text.trimStart().length;
  const names = [...look].filter((name) => name !== '').join(' ');
  const x = (margin + (at + lead) * cell.width).toFixed(1);
  return `<tspan x="${x}"${names === '' ? '' : ` class="${names}"`}>${escaped(text.trim())}</tspan>`;
}

/** The lines of a screen. What one ends in, the next begins with. */
function rowsIn(text) {
  let look = new Set();
  return text.split('\n').map((line) => {
    const row = rowIn(line, look);
    look = row.look;
    return row.spans;
  });
}

/** A line in stretches that look alike; words that stand far apart are stretches of their own. */
function rowIn(line, before) {
  const spans = [];
  let look = before;
  let at = 0;
  for (const part of line.split(/(\u001b\[[0-9;]*m)/)) {
    const codes = /^\u001b\[([0-9;]*)m$/.exec(part)?.[1];
    if (codes !== undefined) {
      look = lookAfter(look, codes.split(';').map(Number));
      continue;
    }
    for (const stretch of part.split(/(?<=\S)(?=\s{2,})/)) {
      if (stretch !== '') spans.push({ at, text: stretch, look });
      at += [...stretch].length;
    }
  }
  return { spans, look };
}

function lookAfter(before, codes) {
  let look = new Set(before);
  const without = (test) => (look = new Set([...look].filter((name) => !test(name))));
  const isColour = (name) => /^[cx]\d+$/.test(name);
  for (let index = 0; index < codes.length; index += 1) {
    const code = codes[index];
    if (code === 38 && codes[index + 1] === 5) {
      // Of the 256 colours those of packages/report/paint.ts, which are as they are on any ground.
      without(isColour);
      look.add(`x${codes[index + 2]}`);
      index += 2;
    } else if (code === 0) look = new Set();
    else if (code === 1) look.add('b');
    else if (code === 2) look.add('d');
    else if (code === 4) look.add('u');
    else if (code === 22) without((name) => name === 'b' || name === 'd');
    else if (code === 24) look.delete('u');
    else if (code === 39) without(isColour);
    else if ((code >= 30 && code <= 37) || (code >= 90 && code <= 97)) {
      without(isColour);
      look.add(`c${code % 10}`);
    }
  }
  return look;
}

function escaped(text) {
  return text.replace(/&/g, '&amp;').replace(/</g, '&lt;').replace(/>/g, '&gt;').replace(/"/g, '&quot;');
}
