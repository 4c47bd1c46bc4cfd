/** Whether a process takes up changed files by itself, and why it is thought so. */
export interface Reloading {
  readonly kind: 'hot' | 'rebuild';
  readonly because: string;
}

export interface StartCommand {
  /** As the container starts. Undefined: as the base image has it. */
  readonly argv: readonly string[] | undefined;
  readonly baseImage: string | undefined;
  /** Scripts of the project's package.json. */
  readonly scripts: Readonly<Record<string, string>>;
}

/** Recognises reloaders and servers that read each file when it is asked for. */
export function reloadingOf({ argv, baseImage, scripts }: StartCommand): Reloading {
  if (argv === undefined || argv.length === 0) return ofBaseImage(baseImage);
  const command = programOf(argv, scripts, 0);
  const shown = `\`${command.words.join(' ')}\``;
  const doubt = doubtOf(command.words);
  if (doubt !== undefined) return { kind: 'rebuild', because: `${shown} ${doubt}` };
  const found = command.words.length > 0 ? recognise(command.words) : undefined;
  if (found === undefined) return { kind: 'rebuild', because: `nothing in ${shown} would pick up a change` };
  return { kind: 'hot', because: found === 'idle' ? `${shown} runs nothing that would have to start again` : `${shown} ${found}` };
}

function ofBaseImage(image: string | undefined): Reloading {
  const name = image
    ?.replace(/@.*$/, '')
    .replace(/:[^:/]*$/, '')
    .split('/')
    .at(-1);
  if (image !== undefined && name !== undefined && /^(nginx(-unprivileged)?|httpd|caddy|php|static-web-server|lighttpd)$/.test(name)) {
    return { kind: 'hot', because: `${image} reads a file each time it is asked for` };
  }
  return { kind: 'rebuild', because: image === undefined ? 'it has no command' : `what ${image} starts is not known` };
}

interface Program {
  readonly words: readonly string[];
}

const shells = /^(\/usr)?(\/bin\/)?(ba|da|a|z)?sh$/;
const deepestScript = 4;

/** The program behind shells, wrappers and package scripts. */
function programOf(argv: readonly string[], scripts: StartCommand['scripts'], depth: number): Program {
  let words = [...argv];
  for (;;) {
    const [first = '', ...rest] = words;
    if (shells.test(first) && /^-\w*c$/.test(rest[0] ?? '')) {
      // What comes last keeps running.
      words = wordsOf(rest.slice(1).join(' '));
      continue;
    }
    const unwrapped = withoutWrapper(words);
    if (unwrapped) {
      words = unwrapped;
      continue;
    }
    const script = depth < deepestScript ? scriptOf(words) : undefined;
    const text = script === undefined ? undefined : scripts[script];
    return text === undefined ? { words } : programOf(wordsOf(text), scripts, depth + 1);
  }
}

function wordsOf(text: string): string[] {
  const last = text.split(/&&|\|\||;|\n/).findLast((part) => part.trim() !== '') ?? '';
  return last
    .trim()
    .split(/\s+/)
    .map((word) => word.replace(/^(['"])(.*)\1$/, '$2'));
}

/** What only starts another program. Undefined when there is no wrapper. */
function withoutWrapper(words: readonly string[]): string[] | undefined {
  const [first = '', second = ''] = words;
  const name = base(first);
  if (/^[A-Za-z_][A-Za-z0-9_]*=/.test(first)) return words.slice(1);
  if (['exec', 'nice', 'docker-entrypoint.sh', 'docker-php-entrypoint', 'cross-env'].includes(name)) return words.slice(1);
  if (['env', 'tini', 'dumb-init', 'catatonit', 'npx', 'bunx', 'pnpx', 'su-exec', 'gosu'].includes(name)) {
    const skipped = name === 'su-exec' || name === 'gosu' ? 2 : 1;
    const rest = words.slice(skipped);
    while (rest[0]?.startsWith('-') === true) rest.shift();
    return rest;
  }
  if (['poetry', 'pipenv', 'uv', 'rye', 'pdm'].includes(name) && second === 'run') return words.slice(2);
  if (['npm', 'pnpm', 'yarn', 'bundle'].includes(name) && second === 'exec')
    return words.slice(2).filter((word, index) => index > 0 || word !== '--');
  if (/^python[\d.]*$/.test(name) && second === '-m' && words[2] !== 'http.server') return words.slice(2);
  return undefined;
}

function scriptOf(words: readonly string[]): string | undefined {
  const [first = '', second = '', third] = words;
  if (!['npm', 'pnpm', 'yarn', 'bun'].includes(base(first))) return undefined;
  if (second === 'run' || second === 'run-script') return third;
  if (second === 'start' || second === 'dev') return second;
  return base(first) === 'npm' || second.startsWith('-') ? undefined : second;
}

function base(program: string): string {
  return program.slice(program.lastIndexOf('/') + 1);
}

const restarts = 'starts again when files change';
const reloads = 'reloads when files change';
const reads = 'reads a file each time it is asked for';

/** How a program takes up changes, as a phrase after its name; `idle` when it does nothing; undefined when nothing is known of it. */
function recognise([first = '', ...args]: readonly string[]): string | undefined {
  const name = base(first);
  const has = (...flags: readonly string[]) => args.some((arg) => flags.some((flag) => arg === flag || arg.startsWith(`${flag}=`)));
  const [subcommand] = args.filter((arg) => !arg.startsWith('-'));
  const first_ = args.findIndex((arg) => !arg.startsWith('-'));
  const own = first_ < 0 ? args : args.slice(0, first_);
  switch (name) {
    case 'node':
    case 'bun':
    case 'deno':
    case 'tsx': {
      const flags = name === 'node' || name === 'tsx' ? own : args;
      const watches = flags.some((arg) => /^--(watch|watch-path|hot)(=|$)/.test(arg)) || (name === 'tsx' && subcommand === 'watch');
      // `node node_modules/.bin/nodemon` is still nodemon.
      const script = name === 'node' && !watches && first_ >= 0 ? args.slice(first_) : undefined;
      if (script && /node_modules\//.test(script[0] ?? '')) return recognise(script);
      return watches ? restarts : undefined;
    }
    case 'nodemon':
    case 'node-dev':
    case 'ts-node-dev':
    case 'tsnd':
    case 'air':
    case 'reflex':
    case 'gow':
    case 'wgo':
    case 'CompileDaemon':
    case 'watchexec':
    case 'entr':
    case 'watchfiles':
      return restarts;
    case 'watchmedo':
      return subcommand === 'auto-restart' ? restarts : undefined;
    case 'dotnet':
    case 'cargo':
      return subcommand === 'watch' ? restarts : undefined;
    case 'nest':
      return subcommand === 'start' && has('--watch', '-w') ? restarts : undefined;
    case 'uvicorn':
    case 'gunicorn':
    case 'hypercorn':
    case 'granian':
      return has('--reload') ? reloads : undefined;
    case 'flask':
      return has('--debug', '--reload') ? reloads : undefined;
    case 'fastapi':
      return subcommand === 'dev' ? reloads : undefined;
    case 'vite':
      return subcommand === undefined || subcommand === 'dev' || subcommand === 'serve' ? reloads : undefined;
    case 'next':
    case 'nuxt':
    case 'nuxi':
    case 'astro':
      return subcommand === 'dev' ? reloads : undefined;
    case 'remix':
      return subcommand === 'dev' || subcommand === 'vite:dev' ? reloads : undefined;
    case 'ng':
    case 'webpack':
      return subcommand === 'serve' || subcommand === 's' ? reloads : undefined;
    case 'webpack-dev-server':
      return reloads;
    case 'react-scripts':
      return subcommand === 'start' ? reloads : undefined;
    case 'nginx':
    case 'httpd':
    case 'httpd-foreground':
    case 'apache2-foreground':
    case 'apachectl':
    case 'http-server':
    case 'live-server':
    case 'serve':
    case 'lighttpd':
    case 'darkhttpd':
    case 'static-web-server':
    case 'php-fpm':
      return reads;
    case 'busybox':
      return subcommand === 'httpd' ? reads : undefined;
    case 'caddy':
      return subcommand === 'run' || subcommand === 'file-server' ? reads : undefined;
    case 'php':
      return has('-S') ? reads : undefined;
    case 'sleep':
      return 'idle';
    case 'tail':
      return has('/dev/null') ? 'idle' : undefined;
    default:
      if (/^python[\d.]*$/.test(name)) return ofPython(args);
      return name === 'manage.py' ? ofPython([name, ...args]) : undefined;
  }
}

/** What makes a reloader miss changes, as a phrase after its command. */
function doubtOf([first = '', ...args]: readonly string[]): string | undefined {
  if (base(first) !== 'watchmedo') return undefined;
  const own = args.includes('--') ? args.slice(0, args.indexOf('--')) : args;
  const given = own.map((arg, index) => /^--patterns?=(.+)$/.exec(arg)?.[1] ?? (patternFlags.has(own[index - 1] ?? '') ? arg : ''));
  // From version 7 on, a pattern must match the whole path; before, its end was enough.
  const bare = given.flatMap((patterns) => patterns.split(';')).find((pattern) => pattern !== '' && !pattern.includes('/'));
  return bare === undefined ? undefined : `sees no file in a folder when its watchdog is 7 or later: write the pattern as **/${bare}`;
}

const patternFlags = new Set(['-p', '--pattern', '--patterns']);

function ofPython(args: readonly string[]): string | undefined {
  if (args[0] === '-m' && args[1] === 'http.server') return reads;
  const script = args.findIndex((arg) => arg.endsWith('manage.py'));
  return script >= 0 && args[script + 1] === 'runserver' && !args.includes('--noreload') ? reloads : undefined;
}
