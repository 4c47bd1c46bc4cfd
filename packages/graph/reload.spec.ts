import { reloadingOf } from '.';

function kind(command: string | readonly string[], scripts: Record<string, string> = {}): string {
  const argv = typeof command === 'string' ? command.split(' ') : command;
  return reloadingOf({ argv, baseImage: 'any', scripts }).kind;
}

describe('what takes up changed files', () => {
  it.each([
    'node --watch src/server.js',
    'node --enable-source-maps --watch-path=src src/server.js',
    '/usr/local/bin/node --watch server.js',
    'docker-entrypoint.sh node --watch server.js',
    'tini -- node --watch server.js',
    'node node_modules/.bin/nodemon server.js',
    'npx nodemon server.js',
    'nodemon',
    'tsx watch src/main.ts',
    'tsx --watch src/main.ts',
    'bun --watch src/main.ts',
    'nest start --watch',
    'vite --host',
    'next dev',
    'uvicorn app:app --reload',
    'python -m uvicorn app:app --reload',
    'python3 -m flask run --debug',
    'flask --app x --debug run',
    'gunicorn app:app --reload',
    'poetry run uvicorn app:app --reload',
    'python manage.py runserver 0.0.0.0:8000',
    'watchmedo auto-restart --directory=src --recursive -- python server.py',
    'watchmedo auto-restart -p **/*.py;**/*.html -- python server.py',
    'watchmedo auto-restart -- python server.py -p *.py',
    'python3 -m http.server 80',
    'air -c .air.toml',
    'dotnet watch run',
    'cargo watch -x run',
    'httpd -f -p 80',
    'busybox httpd -f',
    'nginx -g daemon off;',
    'caddy file-server',
    'http-server .',
    'serve -s build',
    'php -S 0.0.0.0:80',
    'php-fpm',
    'sleep infinity',
    'tail -f /dev/null',
  ])('%s', (command) => {
    expect(kind(command)).toBe('hot');
  });

  it('is found behind a shell', () => {
    expect(kind(['/bin/sh', '-c', 'cd /app && PORT=1 exec node --watch server.js'])).toBe('hot');
    expect(kind(['sh', '-c', 'node --watch a.js; node b.js'])).toBe('rebuild');
  });

  it('is found behind a script of package.json', () => {
    const scripts = { dev: 'NODE_ENV=development nodemon a.js', start: 'node a.js', loop: 'npm run loop' };
    expect(kind('npm run dev', scripts)).toBe('hot');
    expect(kind('yarn dev', scripts)).toBe('hot');
    expect(kind('npm start', scripts)).toBe('rebuild');
    expect(kind('npm run loop', scripts)).toBe('rebuild');
  });

  it('is known of the base image when the Dockerfile has no command', () => {
    expect(reloadingOf({ argv: undefined, baseImage: 'docker.io/library/nginx:1.27', scripts: {} }).kind).toBe('hot');
    expect(reloadingOf({ argv: undefined, baseImage: 'registry:5000/app', scripts: {} })).toEqual({
      kind: 'rebuild',
      because: 'what registry:5000/app starts is not known',
    });
  });
});

describe('what does not', () => {
  it.each([
    'node server.js',
    'node server.js --watch',
    'uvicorn app:app',
    'flask run',
    'vite build',
    'next start',
    'python manage.py runserver --noreload',
    'gunicorn app:app',
    'nest start',
    '/app/server',
    'java -jar app.jar',
    'npm run dev',
    'watchmedo log',
    'watchmedo auto-restart --pattern=*.py -- python server.py',
    'watchmedo auto-restart -p **/*.html;*.py -- python server.py',
  ])('%s', (command) => {
    expect(kind(command)).toBe('rebuild');
  });

  it('is a reloader whose pattern misses files, and what to write instead is said', () => {
    const argv = ['watchmedo', 'auto-restart', '--pattern', '*.py', '--', 'python', 'server.py'];
    expect(reloadingOf({ argv, baseImage: 'a', scripts: {} }).because).toBe(
      '`watchmedo auto-restart --pattern *.py -- python server.py` sees no file in a folder when its watchdog is 7 or later: write the pattern as **/*.py',
    );
  });

  it('is said with the command', () => {
    expect(reloadingOf({ argv: ['/bin/sh', '-c', 'node server.js'], baseImage: 'a', scripts: {} }).because).toBe(
      'nothing in `node server.js` would pick up a change',
    );
  });
});
