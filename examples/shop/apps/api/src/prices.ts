/** Prices in cents by the name of an item, as the service at a URL has them now. */
export function pricesIn(url: string): () => Promise<Readonly<Record<string, number>>> {
  return async () => {
    const answer = await fetch(`${url}/prices`, { signal: AbortSignal.timeout(2000) });
    if (!answer.ok) throw new Error(`${answer.status} ${answer.statusText}`);
    return (await answer.json()) as Record<string, number>;
  };
}
