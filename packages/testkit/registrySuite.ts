/// <reference types="jest" />
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

    it('lists the tags of a repository, none for one that does not exist', async () => {
      await subject.put(`${subject.repository}/tagged:a`, 'a');
      await subject.put(`${subject.repository}/tagged:b`, 'b');
      const tags = await subject.registry.tags(`${subject.repository}/tagged`);
      expect(tags.ok && [...tags.value].sort()).toEqual(['a', 'b']);
      expect(await subject.registry.tags(`${subject.repository}/nothing`)).toEqual({ ok: true, value: [] });
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
