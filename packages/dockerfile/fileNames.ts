/** What builds write as files, and nobody calls a directory. */
const endingsOfFiles: ReadonlySet<string> = new Set(
  [
    'js mjs cjs jsx ts mts cts tsx json json5 map css scss less html htm svg png jpg jpeg gif webp avif ico woff woff2 ttf otf eot',
    'wasm node py pyc pyi rb php pl lua go rs java kt gradle kts class c h cpp cs csproj sh bash ps1 bat cmd sql graphql proto',
    'xml yaml yml toml ini cfg cnf conf config properties env txt md csv tsv lock sum mod log tmpl tpl',
    'exe dll so dylib a o jar war ear dat db sqlite mo pb pdf onnx zip tar gz tgz bz2 tbz2 xz txz zst 7z deb rpm apk whl gem nupkg',
    'pem crt cer key csr pub jks p12 pfx',
  ].flatMap((line) => line.split(' ')),
);

const versionOfLibrary = /(?<=\.so)(\.\d+)+$/;

/** Whether a path of which nothing is known ends like a file: there are directories like `v1.2`, `site.com`, `conf.d` and `.output` too. */
export function isCalledLikeFile(path: string): boolean {
  const ending = /[^./]\.(\w+)$/.exec(path.replace(versionOfLibrary, ''))?.[1];
  return ending !== undefined && endingsOfFiles.has(ending.toLowerCase());
}

/**
 * Whether the destination of one file is the file itself, by its name alone. Who names an ending, or something like `.env`, mostly means
 * a file, whatever it is; but not with the endings that directories have.
 */
export function isMeantAsFile(destination: string): boolean {
  return /[^.]\.(?!(d|\d+|com|net|org|io|app|git)$)\w+$/.test(destination.replace(versionOfLibrary, ''));
}
