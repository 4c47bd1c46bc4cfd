/// <reference types="jest" />
import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import type { Registry } from '../clients';

export interface RegistrySubject {
  readonly registry: Registry;
  /** Where images of the suite may go: `localhost:5000/suite`. */
  readonly repository: string;
  /** Puts an image there by other means and gives its digest. */
  put(ref: string, content: string): Promise<string>;
  close(): Promise<void>;
}

/** What everyone may expect of a `Registry`: run against the fake and against a real one. */
export function registrySuite(name: string, open: () => Promise<RegistrySubject>): void {
  describe(name, () => {
    let subject: RegistrySubject;
    let opened = false;
    beforeAll(async () => {
      subject = await open();
      opened = true;
    }, 60_000);
    // Without what it opened there is nothing to close, and the reason has been told already.
    afterAll(() => (opened ? subject.close() : Promise.resolve()), 60_000);

    it('tells the digest that a tag points to, and follows the tag', async () => {
      const ref = `${subject.repository}/followed:1`;
      expect(await subject.registry.digest(ref)).toEqual({ ok: true, value: undefined });
      const first = await subject.put(ref, 'first');
      expect(await subject.registry.digest(ref)).toEqual({ ok: true, value: first });
      const second = await subject.put(ref, 'second');
      expect(await subject.registry.digest(ref)).toEqual({ ok: true, value: second });
      expect(await subject.registry.digest(`${subject.repository}/followed@${first}`)).toEqual({ ok: true, value: first });
    }, 60_000);

    it('gives an image another tag, in place of what had it, and says when there is no image', async () => {
      const ref = `${subject.repository}/named:1`;
      const digest = await subject.put(ref, 'named');
      await subject.put(`${subject.repository}/named:v2`, 'older');
      expect(await subject.registry.tag(`${subject.repository}/named:gone@${digest}`, 'v2')).toEqual({ ok: true, value: undefined });
      expect(await subject.registry.digest(`${subject.repository}/named:v2`)).toEqual({ ok: true, value: digest });
      expect(await subject.registry.tag(`${subject.repository}/named:nothing`, 'v3')).toMatchObject({
        ok: false,
        problem: { code: 'imageNotFound' },
      });
    }, 60_000);

    it('lists the tags of a repository, none for one that does not exist', async () => {
      await subject.put(`${subject.repository}/tagged:a`, 'a');
      await subject.put(`${subject.repository}/tagged:b`, 'b');
      const tags = await subject.registry.tags(`${subject.repository}/tagged`);
      expect(tags.ok && [...tags.value].sort()).toEqual(['a', 'b']);
      expect(await subject.registry.tags(`${subject.repository}/nothing`)).toEqual({ ok: true, value: [] });
    }, 60_000);

    it('keeps blobs by repository, gives them back, and lets one repository have those of another', async () => {
      const { registry } = subject;
      const [one, other] = [`${subject.repository}/blobs`, `${subject.repository}/mounted`];
      const { digest, ...content } = blobOf('content of a blob');
      expect(await registry.hasBlob({ repository: one, digest })).toEqual({ ok: true, value: false });
      expect(await registry.writeBlob({ repository: one, digest, ...content })).toEqual({ ok: true, value: undefined });
      expect(await registry.hasBlob({ repository: one, digest })).toEqual({ ok: true, value: true });
      expect(await registry.mountBlob({ repository: other, digest, from: one })).toEqual({ ok: true, value: true });
      const read = await registry.readBlob({ repository: other, digest });
      expect(read.ok && read.value && (await text(read.value))).toBe('content of a blob');
      const missing = blobOf('never written').digest;
      expect(await registry.mountBlob({ repository: other, digest: missing, from: one })).toEqual({ ok: true, value: false });
      expect(await registry.readBlob({ repository: other, digest: missing })).toEqual({ ok: true, value: undefined });
    }, 60_000);

    it('takes a manifest whose blobs it has, as it is, and refuses any other', async () => {
      const { registry } = subject;
      const ref = `${subject.repository}/written:1`;
      const repository = `${subject.repository}/written`;
      const config = blobOf('{}');
      const mediaType = 'application/vnd.docker.distribution.manifest.v2+json';
      const content = Buffer.from(
        JSON.stringify({
          schemaVersion: 2,
          mediaType,
          config: { mediaType: 'application/vnd.docker.container.image.v1+json', digest: config.digest, size: config.size },
          layers: [],
        }),
      );
      expect(await registry.manifest(ref)).toEqual({ ok: true, value: undefined });
      expect(await registry.putManifest(ref, { mediaType, content })).toMatchObject({
        ok: false,
        problem: { code: 'registryBlobMissing' },
      });
      await registry.writeBlob({ repository, ...config });
      expect(await registry.putManifest(ref, { mediaType, content })).toEqual({ ok: true, value: undefined });
      const { digest } = blobOf(content.toString());
      expect(await registry.manifest(ref)).toEqual({ ok: true, value: { mediaType, digest, content } });
      expect(await registry.digest(ref)).toEqual({ ok: true, value: digest });
    }, 60_000);

    it('removes what a reference points to; removing what is not there succeeds', async () => {
      const ref = `${subject.repository}/removed:1`;
      await subject.put(ref, 'removed');
      expect(await subject.registry.remove(ref)).toEqual({ ok: true, value: undefined });
      expect(await subject.registry.digest(ref)).toEqual({ ok: true, value: undefined });
      expect(await subject.registry.remove(ref)).toEqual({ ok: true, value: undefined });
    }, 60_000);
  });
}

function blobOf(content: string) {
  const digest = `sha256:${createHash('sha256').update(content).digest('hex')}`;
  return { digest, size: Buffer.byteLength(content), open: () => Readable.from([Buffer.from(content)], { objectMode: false }) };
}
